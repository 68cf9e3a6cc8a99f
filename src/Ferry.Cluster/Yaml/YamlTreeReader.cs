using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ferry.Cluster.Yaml;

/// <summary>
/// Reads one YAML document into a tree that knows its lines. Untrusted text: depth, length and number of nodes are bounded, with aliases counted as what they
/// stand for, so that neither a tower of brackets nor one of anchors costs more than the text is long.
/// </summary>
internal sealed class YamlTreeReader
{
    /// <summary>Characters of a file: a cluster of 4,096 nodes needs a tenth of it.</summary>
    public const int MaximumLength = 4 << 20;

    /// <summary>Levels: a ferry.yaml has six.</summary>
    private const int MaximumDepth = 40;

    private const int MaximumNodes = 200_000;

    private readonly IParser _parser;
    private readonly Dictionary<string, YamlTree> _anchors = new(StringComparer.Ordinal);
    private int _count;

    private YamlTreeReader(IParser parser) => _parser = parser;

    /// <summary>The root of the one document in <paramref name="text"/>; null when there is none.</summary>
    /// <exception cref="YamlRefusal">Not YAML, a second document, or beyond a bound.</exception>
    public static YamlTree? Read(string text)
    {
        if (text.Length > MaximumLength)
        {
            throw new YamlRefusal(1, 1, $"{text.Length} characters; at most {MaximumLength} are read.");
        }
        var parser = new Parser(new StringReader(text));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return null;
            }
            parser.Consume<DocumentStart>();
            var root = new YamlTreeReader(parser).Node(0);
            parser.Consume<DocumentEnd>();
            return parser.Accept<DocumentStart>(out var second)
                ? throw At(second.Start, "a second document; write everything into one.")
                : root;
        }
        catch (YamlException exception)
        {
            throw At(exception.Start, $"not valid YAML: {exception.Message}");
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException or IndexOutOfRangeException or NullReferenceException)
        {
            // YamlDotNet meets some malformed documents with an exception of its inner workings; whatever it is, the text is no YAML.
            throw At(parser.Current?.End ?? Mark.Empty, $"not valid YAML: {exception.Message}");
        }
    }

    private YamlTree Node(int depth)
    {
        var start = _parser.Current?.Start ?? Mark.Empty;
        if (depth > MaximumDepth)
        {
            throw At(start, $"more than {MaximumDepth} levels.");
        }
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            var target = _anchors.GetValueOrDefault(alias.Value.Value) ?? throw At(start, $"no anchor &{alias.Value.Value} stands above this *{alias.Value.Value}.");
            Add(target.Count, start);
            return target;
        }
        var anchor = (_parser.Current as NodeEvent)?.Anchor ?? AnchorName.Empty;
        var node = Content(depth, start);
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
        }
        return node;
    }

    private YamlTree Content(int depth, Mark start)
    {
        Add(1, start);
        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            return new YamlScalar(scalar.Value, scalar.Style == ScalarStyle.Plain, (int)start.Line, (int)start.Column);
        }
        var before = _count;
        if (_parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<YamlTree>();
            while (!_parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Node(depth + 1));
            }
            return new YamlList(items, (int)start.Line, (int)start.Column, _count - before + 1);
        }
        _parser.Consume<MappingStart>();
        var entries = new List<KeyValuePair<YamlScalar, YamlTree>>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            entries.Add(new(key as YamlScalar ?? throw new YamlRefusal(key.Line, key.Column, "a key must be a word."), Node(depth + 1)));
        }
        return new YamlMap(entries, (int)start.Line, (int)start.Column, _count - before + 1);
    }

    private void Add(int count, Mark start)
    {
        _count += count;
        if (_count > MaximumNodes)
        {
            throw At(start, $"more than {MaximumNodes} values, those that aliases repeat counted.");
        }
    }

    private static YamlRefusal At(Mark mark, string message) => new((int)mark.Line, (int)mark.Column, message);
}
