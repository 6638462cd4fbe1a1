/** A module that is bundled and given as text. */
declare module "*?source" {
  const text: string;
  export default text;
}
