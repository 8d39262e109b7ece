//! What accounts were asked.

use async_trait::async_trait;
use entity::account_usage::{Column, Entity, Model};
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::batch::write;
use super::codec::{micros, number, time};
use super::{SqlStore, account, commit};
use crate::store::{AccountId, Result, ToldLeft, Usage, UsageHour, WorkspaceId};

#[async_trait]
impl Usage for SqlStore {
    async fn add_usage(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        more: &UsageHour,
        forget: Timestamp,
    ) -> Result<()> {
        let tx = self.write().await?;
        account::get(&tx, workspace, id).await?;
        Entity::delete_many()
            .filter(Column::Workspace.eq(workspace.0))
            .filter(Column::Account.eq(id.0))
            .filter(Column::BeganAt.lt(micros(forget)))
            .exec(&tx)
            .await?;
        let row = Model {
            workspace: workspace.0,
            account: id.0,
            began_at: micros(more.began_at),
            calls: number(more.calls)?,
            pauses: number(more.pauses)?,
            took: number(more.took.as_micros())?,
            credits: number(more.credits)?,
            left: more.told.and_then(|told| told.left).map(number).transpose()?,
            told_at: more.told.map(|told| micros(told.at)),
        };
        write::<Entity>(&tx, vec![row], Some(sum())).await?;
        commit(tx, ()).await
    }

    async fn usage(
        &self,
        workspace: WorkspaceId,
        id: AccountId,
        since: Timestamp,
    ) -> Result<Vec<UsageHour>> {
        let known = Entity::find()
            .filter(Column::Workspace.eq(workspace.0))
            .filter(Column::Account.eq(id.0))
            .filter(Column::BeganAt.gte(micros(since)))
            .order_by_desc(Column::BeganAt);
        known.all(&self.db).await?.into_iter().map(row).collect()
    }
}

/// What is there already is added to; what is left is what was told last, by whichever process.
fn sum() -> OnConflict {
    let known = |column: Column| Expr::col((Entity, column));
    let new = |column: Column| Expr::col(("excluded", column));
    let is_newer = new(Column::ToldAt)
        .gte(known(Column::ToldAt))
        .or(known(Column::ToldAt).is_null().and(new(Column::ToldAt).is_not_null()));
    let last = |column: Column| Expr::case(is_newer.clone(), new(column)).finally(known(column));
    let told = [Column::Left, Column::ToldAt].map(|column| (column, last(column).into()));
    let sum = |column: Column| known(column).add(new(column));
    let summed = [Column::Calls, Column::Pauses, Column::Took, Column::Credits];
    OnConflict::columns([Column::Workspace, Column::Account, Column::BeganAt])
        .values(summed.map(|column| (column, sum(column))))
        .values(told)
        .to_owned()
}

fn row(model: Model) -> Result<UsageHour> {
    Ok(UsageHour {
        began_at: time(model.began_at)?,
        calls: number(model.calls)?,
        pauses: number(model.pauses)?,
        took: std::time::Duration::from_micros(number(model.took)?),
        credits: number(model.credits)?,
        told: match model.told_at {
            Some(at) => Some(ToldLeft { at: time(at)?, left: model.left.map(number).transpose()? }),
            None => None,
        },
    })
}
