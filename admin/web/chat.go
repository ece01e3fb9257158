package web

// chat is the page with a chat client, signed in by the web session.
func (s *Server) chat() {}
