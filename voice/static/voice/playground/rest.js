// The speech service's REST API, with the page's session.

const API = "/api/v1/voice";
const SUBTITLES = "/playground/transcript";

/** An error answer of the service. */
export class Refused extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail) {
    super(detail ?? code);
    this.code = code;
    this.detail = detail;
  }
}

const CODES = { 401: "unauthenticated", 403: "forbidden", 413: "too_large", 429: "rate_limited", 503: "busy" };

/**
 * @param {string} address @param {RequestInit} [options]
 * @returns {Promise<Response>}
 * @throws {Refused}  or an AbortError
 */
async function call(address, options) {
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("connection");
  }
  if (response.ok) return response;
  const { code, detail } = await response.json().catch(() => ({})); // a proxy's answer has no such fields
  throw new Refused(code ?? CODES[response.status] ?? "other", typeof detail === "string" ? detail : undefined);
}

/** @returns {Promise<import("./voices.js").Voice[]>} */
export async function voices() {
  return (await call(`${API}/voices`)).json();
}

/** @param {object} request @param {string} token @param {AbortSignal} signal @returns {Promise<Response>} */
export function synthesize(request, token, signal) {
  return call(`${API}/synthesize`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(request),
    signal,
  });
}

/** @param {Record<string, string|Blob>} fields @param {string} token @param {AbortSignal} signal */
export function transcribe(fields, token, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return call(`${API}/transcribe`, { method: "POST", headers: { "X-CSRFToken": token }, body, signal });
}

/** @param {object[]} segments @param {"srt"|"vtt"} format @param {string} token */
export function subtitles(segments, format, token) {
  return call(`${SUBTITLES}.${format}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify({ segments }),
  });
}
