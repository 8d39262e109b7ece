//! What carries the notifications of both apps: late, twice, and sometimes never.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use concord::connectors::{kommo, zoho};
use concord::record::Side;
use tokio::time::{Instant, sleep};

use crate::crowd::Dice;

/// The post.
pub struct Post<'a> {
    pub kommo: &'a kommo::emulator::Emulator,
    pub zoho: &'a zoho::emulator::Emulator,
    pub dice: Dice,
    /// Whether it loses, doubles and delays.
    pub is_rough: AtomicBool,
    pub lost: AtomicU64,
    pub doubled: AtomicU64,
    pub carried: AtomicU64,
}

struct Letter {
    from: Side,
    id: u64,
    url: String,
    content_type: &'static str,
    body: String,
    /// How often it is to be posted.
    times: u32,
    at: Instant,
}

impl Post<'_> {
    /// Carries what there is, through what takes it in: the status that it answers, or none while nobody
    /// is there.
    pub async fn carry(&self, take: impl AsyncFn(&str, &str, &str) -> Option<u16>) {
        let mut bag: Vec<Letter> = Vec::new();
        loop {
            bag.extend(self.fetch());
            let (due, later) = bag.into_iter().partition(|letter| letter.at <= Instant::now());
            bag = later;
            for letter in due {
                self.post(&letter, &take).await;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn post(&self, letter: &Letter, take: &impl AsyncFn(&str, &str, &str) -> Option<u16>) {
        let mut status = None;
        for _ in 0..letter.times {
            status = take(&letter.url, letter.content_type, &letter.body).await;
        }
        let count = if status.is_some() { &self.carried } else { &self.lost };
        count.fetch_add(1, Ordering::SeqCst);
        match letter.from {
            Side::Left => self.kommo.answered(letter.id, status),
            Side::Right => self.zoho.answered(letter.id, status),
        }
    }

    fn fetch(&self) -> Vec<Letter> {
        let kommo = self.kommo.due_deliveries().into_iter();
        let kommo =
            kommo.map(|due| self.stamp(Side::Left, due.id, due.url, due.content_type, due.body));
        let zoho = self.zoho.due_deliveries().into_iter();
        let zoho =
            zoho.map(|due| self.stamp(Side::Right, due.id, due.url, due.content_type, due.body));
        kommo.chain(zoho).collect()
    }

    fn stamp(
        &self,
        from: Side,
        id: u64,
        url: String,
        content_type: &'static str,
        body: String,
    ) -> Letter {
        let is_rough = self.is_rough.load(Ordering::SeqCst);
        let luck = if is_rough { self.dice.throw(100) } else { 100 };
        let late = Duration::from_secs(if luck < 40 { self.dice.throw(60) } else { 0 });
        let times = match luck {
            0..10 => 0,
            10..20 => 2,
            _ => 1,
        };
        if times == 2 {
            self.doubled.fetch_add(1, Ordering::SeqCst);
        }
        Letter { from, id, url, content_type, body, times, at: Instant::now() + late }
    }
}
