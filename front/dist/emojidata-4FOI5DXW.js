// Licences of what is in here: licences.txt
import{a,b,c,d}from"./chunk-XONVOS3Y.js";import"./chunk-66PECQ66.js";export{c as byEmoji,a as emoji,b as find,d as shaded};
