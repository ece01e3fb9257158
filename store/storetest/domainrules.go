package storetest

import (
	"errors"
	"time"

	"parley/store"
)

func domainRules(t *suite) {
	ctx, st := t.ctx, t.st
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	if rs, err := st.DomainRules(ctx); err != nil || len(rs) != 0 {
		t.Fatal(rs, err)
	}
	want := []store.DomainRule{
		{Domain: "*.b.example", Action: store.DomainBlock, Note: "spam", Since: at},
		{Domain: "a.example", Action: store.DomainAllow, Since: at},
	}
	if err := st.SetDomainRules(ctx, 2, want[1], want[0]); err != nil {
		t.Fatal(err)
	}
	if rs, err := st.DomainRules(ctx); err != nil || len(rs) != 2 || rs[0] != want[0] || rs[1] != want[1] {
		t.Error(rs, err)
	}
	want[1].Action = store.DomainCertificate
	if err := st.SetDomainRules(ctx, 2, want[1]); err != nil {
		t.Error(err)
	}
	if err := st.SetDomainRules(ctx, 2,
		store.DomainRule{Domain: "c.example", Action: store.DomainBlock}); !errors.Is(err, store.ErrLimit) {
		t.Error(err)
	}
	if rs, err := st.DomainRules(ctx); err != nil || len(rs) != 2 || rs[1] != want[1] {
		t.Error(rs, err)
	}
	if err := st.DeleteDomainRule(ctx, "a.example"); err != nil {
		t.Error(err)
	}
	if err := st.DeleteDomainRule(ctx, "a.example"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
