using Ferry.Cluster.Lint.Rules.Files;
using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ferry.Cluster.Inputs.Yaml;

/// <summary>Reads YAML documents into nodes with places. Anchors, aliases and merge keys are followed.</summary>
/// <remarks>Bounded: depth, and the number of nodes that aliases make of a small file.</remarks>
internal sealed class YamlReader
{
    private const int MaxDepth = 100;

    /// <summary>Nodes with every alias counted as what it stands for; a large real manifest has some ten thousand.</summary>
    private const int MaxNodes = 500_000;

    private readonly SourcedText _text;
    private readonly Parser _parser;
    private readonly Dictionary<string, DataNode> _anchors = new(StringComparer.Ordinal);
    private readonly Dictionary<DataNode, int> _sizes = new(ReferenceEqualityComparer.Instance);
    private int _nodeCount;

    private YamlReader(SourcedText text)
    {
        _text = text;
        _parser = new Parser(new StringReader(text.Value));
    }

    /// <summary>The documents up to the first error, which becomes a defect.</summary>
    public static IReadOnlyList<DataNode> Read(SourcedText text, List<SourceDefect> defects)
    {
        var documents = new List<DataNode>();
        var reader = new YamlReader(text);
        try
        {
            while (reader._parser.MoveNext())
            {
                if (reader._parser.Current is DocumentStart)
                {
                    reader._parser.MoveNext();
                    reader._anchors.Clear();
                    documents.Add(reader.ReadNode(0));
                }
            }
        }
        catch (YamlException exception)
        {
            var offset = (int)Math.Clamp(exception.Start.Index, 0, text.Value.Length);
            defects.Add(new SourceDefect(InvalidYaml.Id, text.Slice(offset, Math.Min(1, text.Value.Length - offset)), Sentence((exception.InnerException ?? exception).Message)));
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException or FormatException or OverflowException)
        {
            // The library's scanner gives up in these ways on some broken texts, such as a bracket that is never closed.
            var offset = reader.Offset(reader._parser.Current?.End ?? Mark.Empty);
            defects.Add(new SourceDefect(InvalidYaml.Id, text.Slice(offset, Math.Min(1, text.Value.Length - offset)), "A bracket, a brace or a quote may be open."));
        }
        return documents;
    }

    private static string Sentence(string message)
    {
        var end = message.LastIndexOf("): ", StringComparison.Ordinal);   // the library puts the position before its text
        var text = (end >= 0 ? message[(end + 3)..] : message).Trim();
        return text.Length == 0 || text[^1] == '.' ? text : text + ".";
    }

    /// <summary>The node whose event is current; afterwards its last event is.</summary>
    private DataNode ReadNode(int depth)
    {
        var current = _parser.Current ?? throw new YamlException("The text ends inside a document.");
        if (depth > MaxDepth) { throw new YamlException(current.Start, current.End, $"More than {MaxDepth} levels"); }
        Count(1, current);
        switch (current)
        {
            case Scalar scalar:
                return Anchored(scalar.Anchor, ReadScalar(scalar), 1);
            case SequenceStart sequence:
                return ReadSequence(sequence, depth);
            case MappingStart mapping:
                return ReadMapping(mapping, depth);
            case AnchorAlias alias:
                if (!_anchors.TryGetValue(alias.Value.Value, out var node)) { throw new YamlException(alias.Start, alias.End, $"No anchor &{alias.Value.Value} stands above this alias"); }
                Count(_sizes.GetValueOrDefault(node, 1), current);
                return node;
            default:
                throw new YamlException(current.Start, current.End, "A value was expected");
        }
    }

    private void Count(int nodes, ParsingEvent at)
    {
        _nodeCount += nodes;
        if (_nodeCount > MaxNodes) { throw new YamlException(at.Start, at.End, $"More than {MaxNodes} values, aliases counted as what they stand for"); }
    }

    private DataNode ReadSequence(SequenceStart sequence, int depth)
    {
        var before = _nodeCount;
        var items = new List<DataNode>();
        while (_parser.MoveNext() && _parser.Current is not SequenceEnd)
        {
            items.Add(ReadNode(depth + 1));
        }
        var span = Extent(sequence.Start, items.Count > 0 ? items[^1].Span : null);
        return Anchored(sequence.Anchor, new DataNode(DataKind.Array, new SourcedText("", span, [])) { Items = items }, _nodeCount - before + 1);
    }

    private DataNode ReadMapping(MappingStart mapping, int depth)
    {
        var before = _nodeCount;
        var members = new List<DataMember>();
        var merged = new List<DataMember>();
        while (_parser.MoveNext() && _parser.Current is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            if (!_parser.MoveNext()) { break; }
            var value = ReadNode(depth + 1);
            if (key.Text.Value == "<<" && key.Kind == DataKind.String)
            {
                foreach (var source in value.Kind == DataKind.Array ? value.Items : [value]) { merged.AddRange(source.Members); }
                continue;
            }
            members.Add(new DataMember(key.Text, value));
        }
        var span = Extent(mapping.Start, members.Count > 0 ? members[^1].Key.Span.To(members[^1].Value.Span) : null);
        // A merged key is weaker than one of the mapping itself, and the last of several keys counts.
        return Anchored(mapping.Anchor, new DataNode(DataKind.Object, new SourcedText("", span, [])) { Members = [.. merged, .. members] }, _nodeCount - before + 1);
    }

    private SourceSpan Extent(Mark start, SourceSpan? last)
    {
        var begin = _text.Slice(Offset(start), 0);
        return last is { } end ? begin.To(end) : begin;
    }

    private DataNode Anchored(AnchorName anchor, DataNode node, int size)
    {
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
            _sizes[node] = size;
        }
        return node;
    }

    private DataNode ReadScalar(Scalar scalar)
    {
        var start = Offset(scalar.Start);
        var end = Math.Max(start, Offset(scalar.End));
        var text = YamlScalarPlaces.Of(_text, scalar.Value, start, end, scalar.Style);
        return new DataNode(scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty ? PlainKind(scalar.Value) : DataKind.String, text);
    }

    private int Offset(Mark mark) => (int)Math.Clamp(mark.Index, 0, _text.Value.Length);

    /// <summary>YAML 1.2's core schema.</summary>
    private static DataKind PlainKind(string value) => value switch
    {
        "" or "~" or "null" or "Null" or "NULL" => DataKind.Null,
        "true" or "True" or "TRUE" => DataKind.True,
        "false" or "False" or "FALSE" => DataKind.False,
        _ => (char.IsAsciiDigit(value[0]) || value[0] is '-' or '+' or '.') && double.TryParse(value, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out _)
            ? DataKind.Number : DataKind.String,
    };
}
