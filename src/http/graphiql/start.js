// Shows GraphiQL once there is a token, and sends the token with each request. The token is held in
// this page's memory only: whoever reloads the page gives it again.
(() => {
  "use strict";

  // GraphiQL's own introspection nests deeper than the API allows; this one asks for the same with
  // fewer levels of lists in lists.
  const LEVELS = 5;
  const type = (levels) => `kind name${levels > 0 ? ` ofType { ${type(levels - 1)} }` : ""}`;
  const INTROSPECTION = `
    query IntrospectionQuery {
      __schema {
        description
        queryType { name }
        mutationType { name }
        subscriptionType { name }
        types {
          kind name description
          fields(includeDeprecated: true) {
            name description
            args { ...Input }
            type { ...Type }
            isDeprecated deprecationReason
          }
          inputFields { ...Input }
          interfaces { ...Type }
          enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
          possibleTypes { ...Type }
        }
        directives { name description locations args { ...Input } }
      }
    }
    fragment Input on __InputValue { name description type { ...Type } defaultValue }
    fragment Type on __Type { ${type(LEVELS)} }
  `;

  const form = document.getElementById("key");
  const box = document.getElementById("token");
  const place = document.getElementById("graphiql");
  let token = "";
  let root = null;

  const fetcher = async (asked) => {
    const isIntrospection = asked.operationName === "IntrospectionQuery";
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: {
        accept: "application/graphql-response+json, application/json",
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify(isIntrospection ? { ...asked, query: INTROSPECTION } : asked),
      credentials: "omit",
    });
    return answer.json();
  };

  const show = () => {
    // A new root asks for the schema anew, with the token that is given now.
    root?.unmount();
    root = ReactDOM.createRoot(place);
    root.render(React.createElement(GraphiQL, { fetcher, isHeadersEditorEnabled: false }));
  };

  const use = (given) => {
    token = given.trim();
    if (token) {
      show();
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    use(box.value);
  });

  // A fragment is not sent to any server; it is taken out of the address so that it is not shared
  // with a link to this page either.
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    history.replaceState(null, "", location.pathname);
    box.value = given;
    use(given);
  }
})();
