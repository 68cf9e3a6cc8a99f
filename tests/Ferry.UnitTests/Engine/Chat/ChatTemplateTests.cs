using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Ferry.Engine.Chat;
using Ferry.TestKit.Engines;
using Xunit;

namespace Ferry.UnitTests.Engine.Chat;

public sealed class ChatTemplateTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 7, 9, 5, 2, TimeSpan.Zero);

    // In the manner of Llama 3: header tokens, trimmed content, bos before the first message.
    private const string LlamaStyle = """
        {% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}
        """;

    private const string Conversation = """[{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "Hi 😀"}]""";

    [Fact]
    public void Render_ChatMl_IsTheConversationAndTheAssistantsBeginning() => Assert.Equal(
        "<|im_start|>system\n Be brief. <|im_end|>\n<|im_start|>user\nHi 😀<|im_end|>\n<|im_start|>assistant\n",
        Render(TestTokenizer.ChatMl, Conversation));

    [Fact]
    public void Render_LlamaStyle_TrimsAndPutsBosFirst() => Assert.Equal(
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi 😀<|eot_id|>" +
        "<|start_header_id|>assistant<|end_header_id|>\n\n", Render(LlamaStyle, Conversation));

    // Expected values: Jinja2 3.1 with Hugging Face's settings (sandbox, trim_blocks, lstrip_blocks, loop controls, its tojson).
    [Theory]
    [InlineData("{% for a in [1,2,3] if a != 2 %}\n  {{ a }}{% if not loop.last %}, {% endif %}\n{% else %}none{% endfor %}\nx", "  1,   3x")]
    [InlineData("a\n  {# c #}\n  {% set q = 1 %}\n{{ q }}", "a\n1")]
    [InlineData("  {%- if true %}\n    a\n  {%- endif %}\n    {% if true %}\n    b\n    {% endif %}\n  {{- ' c ' -}}\n  d", "    a    b\n c d")]
    [InlineData("""{{ {'a': [1, 2.5, none, true], "b": "é'\"\n"} }}""", """{'a': [1, 2.5, None, True], 'b': 'é\'"\n'}""")]
    [InlineData("""{{ {'a': [1, 2.0, none, true], "b": "é</\"\n"}|tojson }}""", """{"a": [1, 2.0, null, true], "b": "é</\"\n"}""")]
    [InlineData("{{ {'a': [1], 'b': {}}|tojson(indent=2) }}", "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}")]
    [InlineData("{% macro m(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ m(1) }}{{ m('x', b=2) }}", "<1z><x2>")]
    [InlineData("{{ [3,1,2]|join('-') }}{{ 'abc'[::-1] }}{{ 'abc'[1:] }}{{ [1,2,3][-1] }}", "3-1-2cbabc3")]
    [InlineData("{{ 'a b  c'.split() }}{{ 'a,b,c'.split(',', 1) }}{{ ' x '|trim }}{{ '--x-'.strip('-') }}", "['a', 'b', 'c']['a', 'b,c']xx")]
    [InlineData("{{ 'hello world'.title() }}{{ 'hELLO'|capitalize }}{{ 'ab' * 2 }}", "Hello WorldHelloabab")]
    [InlineData("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }}", "3 -4 2 3.5 3.0")]
    [InlineData("{{ x is defined }} {{ x|default('d') }} {{ none|default('d') }} {{ ''|default('e', true) }}|{{ x }}|", "False d None e||")]
    [InlineData("{{ 1 < 2 < 3 }} {{ 3 in [1,2,3] }} {{ 'a' not in 'bcd' }} {{ not true or true }} {{ 1 if false }}|", "True True True True |")]
    [InlineData("{% set ns = namespace(c=0) %}{% for i in range(5) %}{% if i == 3 %}{% break %}{% endif %}{% set ns.c = ns.c + i %}{% endfor %}{{ ns.c }}", "3")]
    [InlineData("{% for i in range(4) %}{% if i is odd %}{% continue %}{% endif %}{{ i }}{% endfor %}", "02")]
    [InlineData("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}{% if true %}{% set x = 3 %}{% endif %}{{ x }}", "13")]
    [InlineData("{% for k, v in {'a':1,'b':2}.items() %}{{k}}={{v}};{% endfor %}", "a=1;b=2;")]
    [InlineData("{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list|length }}", "1")]
    [InlineData("{{ messages|map(attribute='role')|unique|join(',') }} {{ messages|rejectattr('role','in',['user'])|list|length }}", "system,user 1")]
    [InlineData("{% set b %}\n block {{ 1 + 1 }}\n{% endset %}[{{ b }}]{{ 'a' ~ 1 ~ none ~ true }}", "[ block 2\n]a1NoneTrue")]
    [InlineData("{% for m in messages %}{{ loop.index }}/{{ loop.length }}{{ loop.revindex0 }}{{ loop.previtem.role if loop.previtem is defined }} {% endfor %}", "1/21 2/20system ")]
    [InlineData("{{ 'abc'.startswith(('x','a')) }} {{ 5 is odd }} {{ 4 is divisibleby(3) }} {{ 3.7|int }} {{ '12'|int + 1 }} {{ 3|float }}", "True True False 3 13 3.0")]
    [InlineData("{{ strftime_now('%A %d %B %Y %H:%M:%S %p %j %y %%') }}", "Saturday 07 March 2026 09:05:02 AM 066 26 %")]
    [InlineData("{{ messages[0].get('nope', 'd') }} {{ messages[0].nope }}| {{ messages[0].content|trim|upper }} {{ messages[1:]|length }}", "d | BE BRIEF. 1")]
    [InlineData("{% generation %}a{% endgeneration %}{{ tools is none }}{{ 1.0 }} {{ 1e16 }} {{ -1.2e16 }} {{ 1e22 }} {{ \"x\" \"y\" }}", "aTrue1.0 1e+16 -1.2e+16 1e+22 xy")]
    public void Render_Construct_PrintsWhatJinjaPrints(string template, string expected) => Assert.Equal(expected, Render(template, Conversation));

    [Fact]
    public void Render_ToolsAndVariables_AreSeen() => Assert.Equal(
        "{\"name\": \"f\", \"n\": 2} False",
        ChatTemplate.Parse("{{ tools[0] | tojson }} {{ enable_thinking }}", "", "").Render(
            [], true, Now, JsonNode.Parse("""[{"name": "f", "n": 2}]""")!.AsArray(), JsonNode.Parse("""{"enable_thinking": false, "messages": 3}""")!.AsObject()));

    [Fact]
    public void Render_RaiseException_SaysWhatTheTemplateSays()
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render("{{ raise_exception('Roles must alternate.') }}", Conversation));
        Assert.True(error.RaisedByTemplate);
        Assert.Equal("Roles must alternate.", error.Message);
    }

    [Theory]
    [InlineData("a\n{% include 'x' %}", 2, "include")]
    [InlineData("\n\n{{ x | nope }}", 3, "nope")]
    [InlineData("{{ 1 is nope }}", 1, "nope")]
    [InlineData("{% if true %}a", 1, "endif")]
    [InlineData("{% for x in y %}", 1, "endfor")]
    [InlineData("{{ 'a }}", 1, "'")]
    [InlineData("{{ 1 + }}", 1, "a value")]
    [InlineData("{# a", 1, "comment")]
    [InlineData("{{ a", 1, "}}")]
    [InlineData("{% break %}", 1, "loop")]
    [InlineData("{{ a ? b }}", 1, "?")]
    [InlineData("{% endfor %}", 1, "endfor")]
    public void Parse_NotInTheSubset_NamesLineAndConstruct(string template, int line, string named)
    {
        var error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(template, "", ""));
        Assert.Equal(line, error.Line);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\n{{ nope.x }}", 2, "\"nope\" is undefined")]
    [InlineData("{{ nope() }}", 1, "nope")]
    [InlineData("{{ 'a' + 1 }}", 1, "a string and an integer")]
    [InlineData("{{ 1 / 0 }}", 1, "zero")]
    [InlineData("{{ 'a' < 1 }}", 1, "compare")]
    [InlineData("{{ messages.append(1) }}", 1, "append")]
    [InlineData("{{ ''.__class__.__mro__ }}", 1, "__class__")]
    [InlineData("{{ 9223372036854775807 + 1 }}", 1, "64 bits")]
    [InlineData("{{ strftime_now('%Q') }}", 1, "%Q")]
    public void Render_MistakeInTheTemplate_NamesLineAndConstruct(string template, int line, string named)
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render(template, Conversation));
        Assert.Equal(line, error.Line);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}")]
    [InlineData("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for a in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s=[1]) %}{% for a in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")]
    [InlineData("{{ 'x' * 999999999 }}")]
    [InlineData("{{ ('x' * 9999).replace('x', 'y' * 9999) }}")]
    [InlineData("{{ range(99999999999) }}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    public void Render_TemplateWithoutEnd_IsStopped(string template) =>
        Assert.Throws<ChatTemplateException>(() => Render(template, Conversation));

    [Theory]
    [InlineData("(", ")", 10_000)]
    [InlineData("[", "]", 10_000)]
    [InlineData("not ", "", 10_000)]
    [InlineData("-", "", 10_000)]
    [InlineData("1+", "", 10_000)]
    [InlineData("a.", "", 10_000)]
    [InlineData("1 if 1 else ", "", 5_000)]
    public void Parse_DeepNesting_IsRefusedWithoutOverflow(string open, string close, int count)
    {
        var template = $"{{{{ {string.Concat(Enumerable.Repeat(open, count))}a{string.Concat(Enumerable.Repeat(close, count))} }}}}";
        Assert.Contains("deeper", Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(template, "", "")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_DeepStatements_IsRefusedWithoutOverflow() => Assert.Throws<ChatTemplateException>(() =>
        ChatTemplate.Parse(string.Concat(Enumerable.Repeat("{% if a %}", 20_000)), "", ""));

    private static string Render([StringSyntax("jinja")] string template, string messages) =>
        ChatTemplate.Parse(template, "<s>", "</s>").Render(JsonNode.Parse(messages)!.AsArray(), addGenerationPrompt: true, Now);
}
