package muc_test

import (
	"testing"

	"parley/testrig"
)

// TestScripts plays the scripts of rooms, testdata/NAME.xmpp, and of groups,
// groups/testdata/NAME.xmpp, on a whole node.
func TestScripts(t *testing.T) { testrig.RunScripts(t, "testdata", "*/testdata") }
