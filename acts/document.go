package acts

import (
	"bytes"
	"fmt"
	"strings"
)

// doorMeanings explains each door for docs/audit.md.
var doorMeanings = map[Door]string{
	Page:        "a page in a browser",
	API:         "the HTTP API, with a token",
	CommandLine: "the command `parley` on the server's machine",
	Client:      "a chat client: a form, a command, a list of members, a space, a picture",
	Line:        "a line in a room that begins with `!`",
	Link:        "a link of an e-mail or of an invitation",
	Server:      "the server itself, by a rule: nobody asked at that moment",
	Import:      "a file of people",
	Federation:  "a chat client of a person of another server",
}

// Document gives the content of docs/audit.md: how to read the audit log, its doors and its verbs.
func Document() []byte {
	var b bytes.Buffer
	b.WriteString(documentHead)
	b.WriteString("\n## Doors\n\n| door | how the change was asked for |\n|---|---|\n")
	for _, d := range Doors {
		fmt.Fprintf(&b, "| `%s` | %s |\n", d, doorMeanings[d])
	}
	b.WriteString("\n## Verbs\n\n| verb | what was done | target | detail |\n|---|---|---|---|\n")
	for _, m := range Meanings {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Verb, m.What, m.Target, strings.ReplaceAll(m.Detail, "|", `\|`))
	}
	return b.Bytes()
}

const documentHead = `# The audit log

This file is made of ` + "`acts.Meanings` and `acts.Doors`" + `: ` + "`go test ./acts -run Document -update`" + `.

Each change of the organization leaves one entry, in the same transaction as the change: what failed or was refused leaves
none. People who get different roles at once leave an entry for each role. An entry has its time, the actor (an account's
name; empty for the command line, the server, and people of other servers, whose address is then the address of the entry),
the door by which the actor came in, the address they came from where the door knows one, the verb, the target, and a detail
in JSON. In the detail, a field that was changed is a pair: its value before and its value now. Secrets (passwords, links,
tokens) are never in it. Administrators and owners read the log on ` + "`/admin/audit`" + `, and programs by ` +
	"`GET /api/v1/audit`" + ` with the scope
` + "`audit:read`" +
	`, which such a person has to give them. Entries are kept for good: neither the deletion of an account nor that
of a group removes them, and backups have them.
`
