package groups

// Texts lists the text commands of groups' rooms and of themes: the word before the arguments, and the lowest
// affiliation that may use it.
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
