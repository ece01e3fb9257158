package clients

import "testing"

func TestProfanity(t *testing.T) {
	program, tmux := needProgram(t, "profanity"), needProgram(t, "tmux")
	needSlixmpp(t)
	t.Parallel()
	s := startServer(t)
	s.parley("", "group", "create", "ops", "--name", "Operations", "--owner", "bob@localhost",
		"--member", "alice@localhost")
	const room = "ops@groups.localhost"
	bob := s.peer("bob@localhost/desk", room)

	term := s.terminal(tmux, program)
	term.shows("Profanity", "/register myjid")
	term.line("/connect alice@localhost server localhost port " + s.port("c2s") + " tls force")
	term.shows("Enter password:")
	term.line(pw)
	term.shows("parley development CA for localhost", "/tls always")
	term.line("/tls always")
	term.shows("logged in successfully, online")

	term.line("/msg bob@localhost hello from a terminal")
	bob.message("alice@localhost", "chat", "hello from a terminal")
	bob.send("alice@localhost", "chat", "hello to the terminal ☕")
	term.shows("hello from a terminal", "hello to the terminal ☕")

	term.line("/join " + room)
	term.shows("Operations", "You have joined the room as alice", "affiliation: member")
	bob.want("that alice is in the room", func(e event) bool {
		return e.Event == "presence" && e.From == room+"/alice" && e.Type == "available"
	})
	term.line("good morning, all")
	bob.message(room+"/alice", "groupchat", "good morning, all")
	bob.send(room, "groupchat", "good morning, alice")
	term.shows("good morning, all", "bob: good morning, alice")

	term.line("!theme Night shift")
	term.shows("New theme: Night shift")

	term.line("/quit")
	bob.want("that alice has left the room", func(e event) bool {
		return e.Event == "presence" && e.From == room+"/alice" && e.Type == "unavailable"
	})
}
