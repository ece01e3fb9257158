package admin

import (
	"context"
	"io"
	"reflect"
	"testing"
)

func (r *recorder) CreateWebhook(_ context.Context, w NewWebhook) (Webhook, error) {
	r.note("webhook", w.Host, w.Group, w.Name, w.Theme, w.URL, w.Events)
	return Webhook{ID: "1", Created: when}, r.err
}

func (r *recorder) Webhooks(_ context.Context, h, g string) ([]Webhook, error) {
	r.note("webhooks", h, g)
	return []Webhook{{ID: "1", Created: when}}, r.err
}

func (r *recorder) SetWebhookDisabled(_ context.Context, h, id string, disabled bool) error {
	r.note("disable", h, id, disabled)
	return r.err
}

func (r *recorder) DeleteWebhook(_ context.Context, h, id string) error {
	r.note("deletewebhook", h, id)
	return r.err
}

func (r *recorder) Deliveries(_ context.Context, h, id, state string, limit int) ([]Delivery, error) {
	r.note("deliveries", h, id, state, limit)
	return []Delivery{{ID: "2", Updated: when}}, r.err
}

func (r *recorder) Redeliver(_ context.Context, h, id string) (int, error) {
	r.note("redeliver", h, id)
	return 4, r.err
}

func TestClientWebhooks(t *testing.T) {
	r := new(recorder)
	c := NewClient(serve(t, r, io.Discard))
	defer c.Close()
	ctx := t.Context()
	for _, tc := range []struct {
		call  func() (any, error)
		asked string
		want  any
	}{
		{func() (any, error) {
			return c.CreateWebhook(ctx, NewWebhook{"h", "g", "n", "t", "https://x/", []string{"message"}})
		}, `webhook["h" "g" "n" "t" "https://x/" ["message"]]`, Webhook{ID: "1", Created: when}},
		{func() (any, error) { return c.Webhooks(ctx, "h", "g") }, `webhooks["h" "g"]`, []Webhook{{ID: "1", Created: when}}},
		{func() (any, error) { return nil, c.SetWebhookDisabled(ctx, "h", "1", true) }, `disable["h" "1" %!q(bool=true)]`, nil},
		{func() (any, error) { return nil, c.SetWebhookDisabled(ctx, "h", "1", false) }, `disable["h" "1" %!q(bool=false)]`, nil},
		{func() (any, error) { return nil, c.DeleteWebhook(ctx, "h", "a/b") }, `deletewebhook["h" "a/b"]`, nil},
		{func() (any, error) { return c.Deliveries(ctx, "h", "1", "dead", 32) }, `deliveries["h" "1" "dead" ' ']`, []Delivery{{ID: "2", Updated: when}}},
		{func() (any, error) { return c.Redeliver(ctx, "h", "1") }, `redeliver["h" "1"]`, 4},
	} {
		got, err := tc.call()
		if err != nil || r.asked != tc.asked || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s\n asked %s\n got   %+v, %v\n want  %+v", tc.asked, r.asked, got, err, tc.want)
		}
	}
}
