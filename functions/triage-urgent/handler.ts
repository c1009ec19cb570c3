/** Triage, once more: what is kept for severe findings is the concurrency of this function, which deploy/rules.ts sends them to. */
export { handler } from '../triage/handler.ts';
