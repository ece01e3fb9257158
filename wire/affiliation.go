package wire

// Affiliations of a person to a room (XEP-0045, section 5.2), as attributes of stanzas have them.
const (
	AffiliationOwner   = "owner"
	AffiliationAdmin   = "admin"
	AffiliationMember  = "member"
	AffiliationNone    = "none"
	AffiliationOutcast = "outcast"
)
