package sqlstore

import "testing"

func TestOldEnough(t *testing.T) {
	for version, want := range map[string]string{
		"CockroachDB CCL v21.1.0 (x86_64-unknown-linux-gnu, built 2021/05/17 13:49:40, go1.15.11)":                  "",
		"CockroachDB OSS v23.2.4 (x86_64-pc-linux-gnu, built 2024/04/08 21:54:04, go1.21.8 X:nocoverageredesign)":   "",
		"CockroachDB CCL v20.2.19 (x86_64-unknown-linux-gnu, built 2022/01/31 12:41:01, go1.13.14)":                 "CockroachDB 20.2 is too old: parley needs 21.1 or later",
		"CockroachDB CCL v2.1.6 (x86_64-unknown-linux-gnu, built 2019/03/04 23:21:07, go1.10.7)":                    "CockroachDB 2.1 is too old: parley needs 21.1 or later",
		"PostgreSQL 17.2 (Debian 17.2-1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 14.2.0-12) 14.2.0, 64-bit": "",
		"PostgreSQL 13.0 on x86_64-pc-linux-musl, compiled by gcc, 64-bit":                                          "",
		"PostgreSQL 18beta1 on x86_64": "",
		"PostgreSQL 12.20 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit": "PostgreSQL 12.20 is too old: " +
			"parley needs 13 or later",
		"PostgreSQL 9.6.24 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit": "PostgreSQL 9.6 is too old: " +
			"parley needs 13 or later",
		"SomethingElse 3.1": "",
	} {
		got := ""
		if err := oldEnough(version); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q", version, got)
		}
	}
}
