/* Keeps the member's card for times without a connection, and nothing else. */
"use strict";

const KEPT = {{ kept }};
const NAME = "card-{{ version }}";
// A till does not wait for a slow connection.
const PATIENCE = 4000;

const kept = (what) => caches.match(what);

async function forget() {
  for (const name of await caches.keys()) await caches.delete(name);
}

// Whoever is not signed in is led elsewhere, and has no card; any other trouble says nothing of the card.
const isGone = (page) => page.type === "opaqueredirect" || page.status === 401 || page.status === 404;

// The page as it is for whoever is signed in now.
async function keep() {
  const page = await fetch(KEPT.page, { redirect: "manual", cache: "no-store" });
  if (isGone(page)) return forget();
  if (!page.ok) return;
  const box = await caches.open(NAME);
  await box.addAll(KEPT.files);
  await box.put(KEPT.page, page);
}

async function card(event) {
  const answer = fetch(event.request);
  event.waitUntil(answer.then((page) => (page.ok || isGone(page)) && keep()).catch(() => {}));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  const page = await Promise.race([answer.catch(() => {}), late]);
  if (page && (page.ok || isGone(page))) return page;
  return (await kept(KEPT.page)) || page || answer;
}

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keep());
});

addEventListener("activate", (event) => {
  const outdated = async () => {
    for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
    await clients.claim();
  };
  event.waitUntil(outdated());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(card(event));
  else if (KEPT.files.some((file) => request.url.endsWith(file))) {
    event.respondWith(fetch(request).catch(() => kept(request)));
  }
});
