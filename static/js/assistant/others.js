// The user's other tabs hear of what was done in this one.
const quiet = { addEventListener() {}, postMessage() {} };
export const others = "BroadcastChannel" in window ? new BroadcastChannel("assistant") : quiet;

export const tellOthers = (conversation) => others.postMessage({ conversation });
