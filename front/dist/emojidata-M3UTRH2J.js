// Licences of what is in here: licences.txt
import{a,b,c,d}from"./chunk-DZYBRWWC.js";import"./chunk-KD4PWU56.js";export{c as byEmoji,a as emoji,b as find,d as shaded};
