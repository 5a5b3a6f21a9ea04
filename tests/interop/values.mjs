// Encodes values that JSON lacks, between a test and JavaScript. values.py is the other half.

export function pack(value) {
  if (Buffer.isBuffer(value)) return { $bytes: value.toString("base64") };
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return { $unexpected: value.constructor.name };
  if (value instanceof Set) return [...value].map(pack);
  if (Array.isArray(value)) return value.map(pack);
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]));
  return value;
}

export function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return Buffer.from(value.$bytes, "base64");
  if ("$js" in value) return Function(`return (${value.$js})`)();
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
}
