package acts

import (
	"testing"

	"parley/store"
)

// TestMay compares the whole table of rights, so that a change of it is seen.
func TestMay(t *testing.T) {
	roles := []string{store.RoleMember, store.RoleSupervisor, store.RoleAdmin, store.RoleOwner}
	acts := []Deed{See, Create, Edit, SetRole, Disable, Delete, Reset}
	// For each actor and a target of the same department: one letter for each deed that is allowed.
	letters := "scerdxp"
	want := map[string][]string{
		store.RoleMember:     {"", "", "", ""},
		store.RoleSupervisor: {"scedp", "s", "s", "s"},
		store.RoleAdmin:      {"scerdxp", "scerdxp", "s", "s"},
		store.RoleOwner:      {"scerdxp", "scerdxp", "scerdxp", "scerdxp"},
	}
	for _, actor := range roles {
		for i, target := range roles {
			got := ""
			for n, act := range acts {
				if (Actor{Name: "actor", Role: actor, Department: "Sales"}).May(act,
					store.Person{User: store.User{Name: "target"}, Role: target, Department: "Sales"}) {
					got += letters[n : n+1]
				}
			}
			if got != want[actor][i] {
				t.Errorf("%s to %s: %q, want %q", actor, target, got, want[actor][i])
			}
		}
	}
	for _, department := range []string{"", "Support"} {
		for _, act := range acts {
			if (Actor{Role: store.RoleSupervisor, Department: department}).May(act,
				store.Person{Role: store.RoleMember, Department: "Sales"}) {
				t.Errorf("a supervisor of %q may do %d to somebody of Sales", department, act)
			}
			if (Actor{Role: store.RoleSupervisor}).May(act, store.Person{Role: store.RoleMember}) {
				t.Errorf("a supervisor of no department may do %d to who has none", act)
			}
		}
	}
	if got := len((Actor{Role: store.RoleAdmin}).Grants()); got != 2 {
		t.Errorf("an administrator gives %d roles", got)
	}
}
