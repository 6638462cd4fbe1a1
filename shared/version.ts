/** The version of this code, as package.json has it: named by every response and written into every artifact. */
export const VERSION = "0.1.0";
