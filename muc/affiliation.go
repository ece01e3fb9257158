package muc

import "parley/wire"

// Affiliations (XEP-0045, section 5.2).
const (
	Owner   = wire.AffiliationOwner
	Admin   = wire.AffiliationAdmin
	Member  = wire.AffiliationMember
	None    = wire.AffiliationNone
	Outcast = wire.AffiliationOutcast
)

var rank = map[string]int{Outcast: 0, None: 1, Member: 2, Admin: 3, Owner: 4}

// AtLeast says whether an affiliation is that of least or a higher one. An affiliation that XEP-0045 does not know is
// lower than all others.
func AtLeast(affiliation, least string) bool { return rank[affiliation] >= rank[least] }
