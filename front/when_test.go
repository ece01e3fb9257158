package front_test

import "testing"

// TestWhen checks what is understood of times in /remind and /status, on Monday 30 November 2026 at 14:05.
func TestWhen(t *testing.T) {
	reminders := [][2]string{
		{"me in 20 minutes to call Bob", "2026-11-30 14:25 call Bob"},
		{"in 1h30 tea", "2026-11-30 15:35 tea"},
		{"in half an hour: tea", "2026-11-30 14:35 tea"},
		{"in 2 days about the report", "2026-12-02 14:05 the report"},
		{"me to water the plants in an hour", "2026-11-30 15:05 water the plants"},
		{"tomorrow 9:00 stand-up", "2026-12-01 09:00 stand-up"},
		{"tomorrow at 9 stand-up", "2026-12-01 09:00 stand-up"},
		{"tomorrow stand-up", "2026-12-01 09:00 stand-up"},
		{"tomorrow afternoon to pay", "2026-12-01 14:00 pay"},
		{"call home at 6pm", "2026-11-30 18:00 call home"},
		{"at 9 wake up", "2026-12-01 09:00 wake up"},
		{"tonight to read", "2026-11-30 18:00 read"},
		{"friday 17:00 to write the minutes", "2026-12-04 17:00 write the minutes"},
		{"next monday that the week begins", "2026-12-07 09:00 the week begins"},
		{"on 3 December at noon to leave", "2026-12-03 12:00 leave"},
		{"Jan 5 to wish a happy new year", "2027-01-05 09:00 wish a happy new year"},
		{"2027-02-01 08:15 rent", "2027-02-01 08:15 rent"},
		{"moi dans 20 minutes de rappeler Zoé", "2026-11-30 14:25 rappeler Zoé"},
		{"dans une heure d’appeler Zoé", "2026-11-30 15:05 appeler Zoé"},
		{"dans une demi-heure : thé", "2026-11-30 14:35 thé"},
		{"demain à 9h30 d'écrire", "2026-12-01 09:30 écrire"},
		{"demain matin le point", "2026-12-01 09:00 le point"},
		{"après-demain à midi de partir", "2026-12-02 12:00 partir"},
		{"vendredi prochain à 17h de signer", "2026-12-04 17:00 signer"},
		{"le 3 décembre à 8h de partir", "2026-12-03 08:00 partir"},
		{"payer le loyer le 1er janvier", "2027-01-01 09:00 payer le loyer"},
		{"ce soir de lire", "2026-11-30 18:00 lire"},
		// What is not clear.
		{"call Bob", ""},
		{"me", ""},
		{"", ""},
		{"tomorrow", ""},
		{"in a while to rest", ""},
		{"today at 9 to go back in time", ""},
		{"2026-02-30 nothing", ""},
		{"at 25:00 nothing", ""},
		{"3 apples", ""},
	}
	statuses := [][2]string{
		{"in a meeting until 15:00", "-|in a meeting|2026-11-30 15:00"},
		{"In a meeting", "-|In a meeting|"},
		{"clear", "available||"},
		{"", "available||"},
		{"effacer", "available||"},
		{"dnd 1h", "dnd||2026-11-30 15:05"},
		{"dnd for 30 min", "dnd||2026-11-30 14:35"},
		{"DND writing until tomorrow 9:00", "dnd|writing|2026-12-01 09:00"},
		{"away lunch until 2:30pm", "away|lunch|2026-11-30 14:30"},
		{"away until 9", "away||2026-12-01 09:00"},
		{"ne pas déranger jusqu’à 16h", "dnd||2026-11-30 16:00"},
		{"en réunion jusqu'à 15h30", "-|en réunion|2026-11-30 15:30"},
		{"absente pendant 2 heures", "away||2026-11-30 16:05"},
		{"available", "available||"},
		{"awaymission", "-|awaymission|"},
		{"waiting until", "-|waiting until|"},
		{"on the road for a week", "-|on the road|2026-12-07 14:05"},
	}
	in := map[string][]string{}
	for _, c := range reminders {
		in["reminders"] = append(in["reminders"], c[0])
	}
	for _, c := range statuses {
		in["statuses"] = append(in["statuses"], c[0])
	}
	var got struct{ Reminders, Statuses, Moments []string }
	runScript(t, "testdata/when.ts", in, &got)
	for i, c := range reminders {
		if got.Reminders[i] != c[1] {
			t.Errorf("remind %q: %q, want %q", c[0], got.Reminders[i], c[1])
		}
	}
	for i, c := range statuses {
		if got.Statuses[i] != c[1] {
			t.Errorf("status %q: %q, want %q", c[0], got.Statuses[i], c[1])
		}
	}
	for i, want := range []string{
		"hour 2026-11-30 15:05, evening 2026-11-30 18:00, tomorrow 2026-12-01 09:00, monday 2026-12-07 09:00",
		"hour 2026-12-06 21:00, tomorrow 2026-12-07 09:00",
	} {
		if got.Moments[i] != want {
			t.Errorf("moments: %q, want %q", got.Moments[i], want)
		}
	}
}
