// Modules that the bundle tool makes (front/bundle), and stylesheets.

declare module "generated:icons" {
  export const icons: Record<string, readonly (readonly [string, Record<string, string>])[]>
}
declare module "*.css"
