// Licences of what is in here: licences.txt
import{a,b,c,d}from"./chunk-JIBQSM7W.js";import"./chunk-ADFRX4MT.js";export{c as byEmoji,a as emoji,b as find,d as shaded};
