/** The template of the page: values stay text. */
import { expect, test } from '@jest/globals';
import { fillTemplate } from '../../../src/http/site/page-template.ts';

test('escapes values, repeats lists, and leaves braces in values alone', () => {
  const template = '<a title="{{x}}">{{#list}}[{{y}}{{x}}]{{/list}}{{#yes}}yes{{/yes}}{{#no}}no{{/no}}</a>';

  const text = fillTemplate(template, {
    x: '"<&{{y}}',
    list: [{ y: '1' }, { y: '2' }],
    yes: true,
    no: false,
  });

  expect(text).toBe('<a title="&#34;&#60;&#38;{{y}}">[1&#34;&#60;&#38;{{y}}][2&#34;&#60;&#38;{{y}}]yes</a>');
});

test('throws when a value that the template names is missing', () => {
  expect(() => fillTemplate('{{missing}}', {})).toThrow('missing');
  expect(() => fillTemplate('{{#missing}}x{{/missing}}', {})).toThrow('missing');
});
