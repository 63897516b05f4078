// Texts to talk with, in what people type into chats: three languages and code.
import { readdirSync, readFileSync } from 'node:fs';

const ENGLISH = `The lighthouse keeper wrote down the weather every evening before he lit the lamp. Nobody had asked him to do it. When the committee came to inspect the tower, they found forty years of wind and rain in small, careful letters. Can you explain how a heat pump works without using the word energy? First it evaporates a refrigerant at low pressure, which takes warmth from the air outside; then a compressor squeezes the gas until it is hot enough to warm the water in your radiators. I'm trying to plan a birthday party for twelve children on a rainy day, and my budget is about $150. The board rejected the merger because the projected savings, $4.2 million over three years, depended on closing a plant that had just been modernised. She doesn't like olives, but she'll eat them if they're on pizza. Although the experiment was repeated 17 times, the results never differed by more than 0.3 percent. Please summarise the following e-mail in two sentences and suggest a polite answer. The river had risen overnight, carrying branches, a wooden chair and, improbably, somebody's hat past the kitchen window.`;

const GERMAN = `Der Leuchtturmwärter schrieb jeden Abend das Wetter auf, bevor er die Lampe anzündete. Niemand hatte ihn darum gebeten. Als die Kommission den Turm besichtigte, fand sie vierzig Jahre Wind und Regen in kleiner, sorgfältiger Schrift. Kannst du mir erklären, wie eine Wärmepumpe funktioniert, ohne das Wort Energie zu verwenden? Zuerst verdampft sie bei niedrigem Druck ein Kältemittel und entzieht dabei der Außenluft Wärme; anschließend verdichtet ein Kompressor das Gas, bis es heiß genug ist, um das Heizungswasser zu erwärmen. Ich möchte für zwölf Kinder einen Geburtstag an einem Regentag planen und habe ungefähr 150 Euro zur Verfügung. Der Aufsichtsrat lehnte die Verschmelzung ab, weil die erwarteten Einsparungen von 4,2 Millionen Euro die Schließung eines gerade erst modernisierten Werks vorausgesetzt hätten. Sie mag eigentlich keine Oliven, isst sie aber, wenn sie auf der Pizza liegen. Obwohl der Versuch siebzehnmal wiederholt wurde, wichen die Ergebnisse nie um mehr als 0,3 Prozent voneinander ab. Bitte fasse die folgende E-Mail in zwei Sätzen zusammen und schlage eine höfliche Antwort vor. Über Nacht war der Fluss gestiegen und trug Äste, einen Holzstuhl und unwahrscheinlicherweise einen Hut am Küchenfenster vorbei. Die Rechtsschutzversicherungsgesellschaft antwortete erst nach der Fristverlängerung.`;

const CHINESE = `灯塔看守人每天傍晚点灯之前都会记下当天的天气。没有人要求他这样做。后来委员会来检查灯塔时，发现了四十年的风雨，用细小而工整的字迹写成。你能不能解释一下热泵的工作原理，但不要使用“能量”这个词？首先，制冷剂在低压下蒸发，从室外空气中吸收热量；然后压缩机把气体压缩到足够热，用来加热暖气片里的水。我想在下雨天为十二个孩子安排一个生日聚会，预算大约是一千元。董事会否决了这次合并，因为预计三年内节省的四百二十万元，要以关闭一座刚刚改造完成的工厂为前提。她其实不喜欢橄榄，不过放在比萨上她也会吃。虽然实验重复了十七次，结果之间的差异从未超过百分之零点三。请用两句话总结下面这封邮件，并给出一个礼貌的答复。一夜之间河水上涨，树枝、一把木椅，还有一顶不知是谁的帽子，从厨房窗前漂过。`;

/** Sentences of a kind; code comes in blocks of a few lines. */
export const CORPORA: Readonly<Record<string, readonly string[]>> = {
  English: sentencesOf(ENGLISH),
  German: sentencesOf(GERMAN),
  Chinese: sentencesOf(CHINESE),
  code: blocksOf('../src/chat'),
};

function sentencesOf(text: string): string[] {
  return [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)].map(
    ({ segment }) => segment,
  );
}

function blocksOf(folder: string): string[] {
  const url = new URL(`${folder}/`, import.meta.url);
  const files = readdirSync(url).filter((name) => name.endsWith('.ts'));
  return files.flatMap((name) => readFileSync(new URL(name, url), 'utf8').split(/(?<=\n)\n/));
}
