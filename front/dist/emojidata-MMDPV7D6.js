// Licences of what is in here: licences.txt
import{a,b,c,d}from"./chunk-DQTPUXDL.js";import"./chunk-6QPHMEBJ.js";export{c as byEmoji,a as emoji,b as find,d as shaded};
