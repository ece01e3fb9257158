package api

import (
	"context"
	"net/http"

	"parley/webchat"
	"parley/wire/jid"
)

// ComplaintInput reports a message.
type ComplaintInput struct {
	InSaid
	Body webchat.Complaint
}

// ReportMessage tells those who keep order of a message.
var ReportMessage = chats[ComplaintInput, None](
	"report-message", http.MethodPost, "/conversations/{id}/messages/{message}/report", "messages:write",
	"Report a message to the moderators of the group, or else to the administrators",
)

func (s *Server) complaints(d *doors) {
	act(s, d, ReportMessage, s.inReach, func(ctx context.Context, c caller, in *ComplaintInput) error {
		_, err := inConversation(s, c, in.ID, func(w *webchat.Service, j jid.JID) (struct{}, error) {
			return struct{}{}, w.Report(ctx, c.me.Name, c.credential, j, in.Message, in.Body)
		})
		return err
	})
}
