// What is used of highlighter.js.

export type TreeNode =
  | { readonly type: 'text'; readonly value: string }
  | {
      readonly type: 'element';
      readonly properties: { readonly className?: unknown };
      readonly children: readonly TreeNode[];
    };

export declare const lowlight: {
  registered(language: string): boolean;
  highlight(language: string, code: string): { readonly children: readonly TreeNode[] };
};
