package acts

// Verb names what was done in the audit log: the thing and the deed, "group.create".
type Verb string

// The verbs of groups.
const (
	GroupCreate    Verb = "group.create"
	GroupChange    Verb = "group.change"
	GroupDelete    Verb = "group.delete"
	GroupRestore   Verb = "group.restore"
	GroupPhoto     Verb = "group.photo"
	GroupMandatory Verb = "group.mandatory"
	GroupTeam      Verb = "group.team"
	GroupMembers   Verb = "group.members"
	GroupJoin      Verb = "group.join"
	GroupLeave     Verb = "group.leave"
	GroupAsk       Verb = "group.ask"
	GroupRequest   Verb = "group.request"
	GroupWithdraw  Verb = "group.withdraw"
	GroupKick      Verb = "group.kick"
	MessageRetract Verb = "message.retract"
)

// The verbs of themes.
const (
	ThemeCreate Verb = "theme.create"
	ThemeRename Verb = "theme.rename"
	ThemeState  Verb = "theme.state"
	ThemePeople Verb = "theme.people"
)

// The verbs of teams.
const (
	TeamCreate  Verb = "team.create"
	TeamChange  Verb = "team.change"
	TeamPeople  Verb = "team.people"
	TeamDelete  Verb = "team.delete"
	TeamShare   Verb = "team.share"
	TeamUnshare Verb = "team.unshare"
)

// The verbs of people.
const (
	PersonCreate      Verb = "person.create"
	PersonChange      Verb = "person.change"
	PersonDisable     Verb = "person.disable"
	PersonEnable      Verb = "person.enable"
	PersonArchive     Verb = "person.archive"
	PersonDelete      Verb = "person.delete"
	PersonUndo        Verb = "person.undo"
	PersonSignout     Verb = "person.signout"
	PersonPassword    Verb = "person.password"
	PersonReset       Verb = "person.reset"
	PersonPhoto       Verb = "person.photo"
	PersonDigest      Verb = "person.digest"
	PersonQuietHours  Verb = "person.quiet_hours"
	PersonAppCreate   Verb = "person.app.create"
	PersonAppRevoke   Verb = "person.app.revoke"
	PersonFactorOn    Verb = "person.factor.on"
	PersonFactorOff   Verb = "person.factor.off"
	PersonFactorReset Verb = "person.factor.reset"
	PersonFactorCodes Verb = "person.factor.codes"
	PersonImport      Verb = "person.import"
	PersonExport      Verb = "person.export"
	PersonData        Verb = "person.data"
	SessionEnd        Verb = "session.end"
)

// The verbs of profile fields.
const (
	FieldCreate Verb = "field.create"
	FieldChange Verb = "field.change"
	FieldDelete Verb = "field.delete"
)

// The verbs of links that an organization shows to its people.
const (
	LinkCreate Verb = "link.create"
	LinkChange Verb = "link.change"
	LinkDelete Verb = "link.delete"
)

// The verbs of actions on messages, which programs elsewhere carry out.
const (
	ActionCreate Verb = "action.create"
	ActionChange Verb = "action.change"
	ActionRenew  Verb = "action.renew"
	ActionDelete Verb = "action.delete"
)

// The verbs of invitations and API tokens.
const (
	InvitationCreate  Verb = "invitation.create"
	InvitationAccept  Verb = "invitation.accept"
	InvitationDecline Verb = "invitation.decline"
	InvitationResend  Verb = "invitation.resend"
	InvitationRevoke  Verb = "invitation.revoke"
	InvitationExtend  Verb = "invitation.extend"
	TokenCreate       Verb = "token.create"
	TokenRevoke       Verb = "token.revoke"
)

// The verbs of the organization's settings and of the system.
const (
	SettingsChange   Verb = "settings.change"
	SystemWebhook    Verb = "system.webhook"
	SystemFederation Verb = "system.federation"
	SystemBackup     Verb = "system.backup"
	SystemMail       Verb = "system.mail"
	SystemReport     Verb = "system.report"
	RoomOwner        Verb = "room.owner"
	NodeOwner        Verb = "node.owner"
)

// Meaning explains a verb of the audit log.
type Meaning struct {
	Verb   Verb
	What   string // what was done
	Target string // what the entry's target is
	Detail string // the fields of its detail
}

// Meanings explains all verbs, in the order of docs/audit.md, which is made from it.
var Meanings = []Meaning{
	{GroupCreate, "A group was created", "the group", "kind, members: how many"},
	{GroupChange, "A group's settings were changed", "the group", "each field that changed, before and after"},
	{GroupDelete, "A group was deleted", "the group", "name"},
	{GroupRestore, "A deleted group was restored", "the group", ""},
	{GroupPhoto, "A group's photo was set or removed", "the group", "hash, before and after"},
	{
		GroupMandatory,
		"A group became mandatory for everyone or for a team, or optional again",
		"the group",
		"whom, before and after",
	},
	{GroupTeam, "A whole team was added to a group, or removed", "the group", "team; role, before and after"},
	{
		GroupMembers,
		"People were added to a group, removed, banned, or got another role",
		"the group",
		"role; members: the first 100; count; before: their roles",
	},
	{GroupJoin, "A person joined a group", "the group", ""},
	{GroupLeave, "A person left a group", "the group", ""},
	{GroupAsk, "A person asked to join a group", "the group", "reason"},
	{GroupRequest, "A request to join a group was answered", "the group", "members: the person who asked; accepted"},
	{GroupWithdraw, "A person withdrew their request to join a group", "the group", ""},
	{GroupKick, "A person was removed from a room, and can come back", "the group",
		"members: the removed person; reason"},
	{
		MessageRetract,
		"A message was retracted in the browser or by a program",
		"the group, or group and theme",
		"message: its id; sender, reason; warned: the sender was told by a message",
	},
	{ThemeCreate, "A theme was created", "group and theme", "name, restricted"},
	{ThemeRename, "A theme was renamed", "group and theme", "name, before and after"},
	{ThemeState, "A theme was opened, closed or archived", "group and theme", "state, before and after"},
	{
		ThemePeople,
		"People were added to a theme or removed",
		"group and theme",
		"members: the first 100, with their roles; count; before: their roles",
	},
	{TeamCreate, "A team was created", "the team", "name, members: how many"},
	{TeamChange, "A team's settings were changed", "the team", "each field that changed, before and after"},
	{TeamPeople, "People were added to a team or removed", "the team", "members, removed"},
	{TeamDelete, "A team was deleted", "the team", "name, members: how many"},
	{TeamShare, "A saved reply or a contact was shared with a team", "the team", "kind, name"},
	{TeamUnshare, "A team stopped sharing a saved reply or a contact", "the team", "kind, name"},
	{PersonCreate, "An account was created", "the account", "role, email, groups"},
	{PersonChange, "A person's account or profile was changed", "the account",
		"each field that changed, before and after"},
	{
		PersonDisable,
		"An account was disabled and signed out",
		"the account",
		"each field that changed, before and after",
	},
	{
		PersonEnable,
		"A disabled or archived account may sign in again",
		"the account",
		"each field that changed, before and after",
	},
	{
		PersonArchive,
		"An account was archived and signed out",
		"the account",
		"each field that changed, before and after",
	},
	{PersonDelete, "An account was deleted with all its data", "the account", "email, role"},
	{PersonUndo, "The creation of an account was undone", "the account", "email"},
	{PersonSignout, "A person was signed out everywhere", "the account", "sessions: how many clients"},
	{PersonPassword, "A person got a new password", "the account", "id: of the link that was used for it"},
	{PersonReset, "A link for a new password was made", "the account", "id: of the link; sent: by e-mail"},
	{PersonPhoto, "A person's photo was set or removed", "the account", "photo: whether there is one now"},
	{
		PersonDigest,
		"A person chose how often to get an e-mail about missed activity",
		"the account",
		"digest, before and after",
	},
	{PersonQuietHours, "A person changed their quiet hours", "the account", ""},
	{PersonAppCreate, "An app password was made", "the account", "name"},
	{PersonAppRevoke, "An app password was revoked", "the account", "name"},
	{PersonFactorOn, "A person turned the second step on", "the account", ""},
	{PersonFactorOff, "A person turned the second step off", "the account", ""},
	{PersonFactorReset, "Somebody turned a person's second step off", "the account", ""},
	{PersonFactorCodes, "A person made new recovery codes", "the account", ""},
	{PersonImport, "People were imported from a file", "none", "made, known, wrong: how many"},
	{
		PersonExport,
		"A list of people, or accounts with all their data, were exported",
		"the accounts, if some were named",
		"count; all",
	},
	{PersonData, "A person downloaded their own data", "the account", ""},
	{
		SessionEnd,
		"Devices or browsers of a person were signed out",
		"the account",
		"sessions: how many; all: all others",
	},
	{FieldCreate, "A profile field was defined", "its key", "name, kind"},
	{FieldChange, "The definition of a profile field was changed", "its key",
		"each property that changed, before and after"},
	{FieldDelete, "A profile field was deleted with everybody's values", "its key", "name, kind"},
	{LinkCreate, "A link for the organization's people was defined", "its id", "name, url"},
	{LinkChange, "A link for the organization's people was changed", "its id",
		"each property that changed, before and after"},
	{LinkDelete, "A link for the organization's people was deleted", "its id", "name, url"},
	{ActionCreate, "An action on messages was defined", "its id", "name, url"},
	{ActionChange, "An action on messages was changed", "its id", "each property that changed, before and after"},
	{ActionRenew, "An action on messages got a new secret", "its id", "name"},
	{ActionDelete, "An action on messages was deleted", "its id", "name, url"},
	{InvitationCreate, "An invitation was made", "the account, or the invitation", "id, expires, sent: by e-mail"},
	{InvitationAccept, "An invitation was accepted", "the account, or the invitation", "id; how: web, app or contact"},
	{InvitationDecline, "An invitation was declined", "the account, or the invitation", "id"},
	{InvitationResend, "An invitation got a new link", "the account, or the invitation", "id"},
	{InvitationRevoke, "An invitation was revoked", "the account, or the invitation", "id"},
	{InvitationExtend, "An invitation was extended", "the account, or the invitation", "id"},
	{TokenCreate, "An API token was made", "the account", "name, scopes, expires"},
	{TokenRevoke, "An API token was revoked", "the account", "name"},
	{
		SettingsChange,
		"Settings of the organization were changed",
		"none",
		"each setting that changed, before and after",
	},
	{
		SystemWebhook,
		"A webhook was made, turned off or on, tried again or deleted",
		"the webhook",
		"name; do; for a new webhook direction and group",
	},
	{SystemFederation, "A rule for another server was changed", "the domain", "do, count"},
	{SystemBackup, "A backup was made, or failed", "the file", "bytes, error"},
	{SystemMail, "A test message was sent", "the e-mail address", ""},
	{SystemReport, "A report was deleted", "the report", ""},
	{RoomOwner, "A room got another owner, since its owner is gone", "the room", "owner, before"},
	{NodeOwner, "A node got another owner, since its owner is gone", "the node", "owner, before"},
}
