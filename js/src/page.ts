// The explorer's page.
export const title = "Fallline";
