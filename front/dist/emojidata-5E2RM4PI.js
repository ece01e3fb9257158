// Licences of what is in here: licences.txt
import{a,b,c,d}from"./chunk-UBAAZ6ZN.js";import"./chunk-7H4OY4RH.js";export{c as byEmoji,a as emoji,b as find,d as shaded};
