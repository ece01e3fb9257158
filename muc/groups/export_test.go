package groups

// Texts gives the text commands that there are in groups' rooms and in themes: what comes before the arguments, and
// from which affiliation on.
func Texts(s *Service) (inGroups, inThemes map[string]string) {
	inGroups, inThemes = make(map[string]string), make(map[string]string)
	for _, c := range s.texts {
		if c.where&inGroup != 0 {
			inGroups["!"+c.word] = c.least
		}
		if c.where&inTheme != 0 {
			inThemes["!"+c.word] = c.least
		}
	}
	return inGroups, inThemes
}
