// What `import` cannot read yet: the case's suite and name, and the sentence with which the file is refused. Whatever learns to read one of them
// deletes its line: a case in this table that is read is a failing test.
export const EXPECTED_REFUSALS: Readonly<Record<string, string>> = {};
