// Package feature_test plays the scripts of all features in one program
// (docs/decisions/116-scripts-beside-the-code.md).
package feature_test

import (
	"testing"

	"parley/testrig"
)

// TestScripts plays FEATURE/testdata/NAME.xmpp as the subtest FEATURE/NAME.
func TestScripts(t *testing.T) { testrig.RunScripts(t, "*/testdata") }
