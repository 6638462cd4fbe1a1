import artifact from "./model.safetensors";
export default { fetch: () => new Response(String((artifact as ArrayBuffer).byteLength)) };
