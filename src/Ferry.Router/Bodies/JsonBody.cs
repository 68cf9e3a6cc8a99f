using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Ferry.Router.Bodies;

/// <summary>A JSON object whose members can be dropped and added without building a tree: what is not touched stays byte for byte.</summary>
/// <remarks>The whole text is checked once, so that what is rewritten is known to be JSON. Names that stand twice are all seen.</remarks>
public sealed class JsonBody
{
    /// <summary>Tool schemas nest, hostile bodies nest more.</summary>
    public const int MaxDepth = 128;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly List<JsonMember> _members;

    private JsonBody(ReadOnlyMemory<byte> bytes, List<JsonMember> members)
    {
        _bytes = bytes;
        _members = members;
    }

    public ReadOnlyMemory<byte> Bytes => _bytes;

    public IReadOnlyList<JsonMember> Members => _members;

    /// <exception cref="RouterException">400: no JSON object, nested too deeply, or no UTF-8 in a name.</exception>
    public static JsonBody Parse(ReadOnlyMemory<byte> bytes)
    {
        var members = new List<JsonMember>();
        try
        {
            var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                throw RouterException.BadRequest("The request body must be a JSON object.");
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (name, start) = (reader.GetString()!, (int)reader.TokenStartIndex);
                reader.Read();
                var valueStart = (int)reader.TokenStartIndex;
                reader.Skip();
                members.Add(new JsonMember(name, start, valueStart, (int)reader.BytesConsumed));
            }
            if (reader.Read())
            {
                throw RouterException.BadRequest("The request body has something behind its JSON object.");
            }
        }
        catch (JsonException exception)
        {
            throw RouterException.BadRequest($"The request body is not valid JSON: {exception.Message.Split(" LineNumber")[0]}");
        }
        catch (InvalidOperationException)
        {
            throw RouterException.BadRequest("The request body is not valid UTF-8.");
        }
        return new JsonBody(bytes, members);
    }

    /// <summary>The raw value of a member (the last of that name, as parsers take it), or empty.</summary>
    public ReadOnlyMemory<byte> Value(string name)
    {
        for (var index = _members.Count - 1; index >= 0; index--)
        {
            if (_members[index].Name == name)
            {
                return _bytes[_members[index].ValueStart.._members[index].End];
            }
        }
        return default;
    }

    /// <summary>Whether a member is there and is neither null nor false.</summary>
    public bool Asks(string name)
    {
        var value = Value(name).Span;
        return !value.IsEmpty && !value.SequenceEqual("null"u8) && !value.SequenceEqual("false"u8);
    }

    /// <summary>A member that is a number; null when absent, null or something else.</summary>
    public int? Integer(string name)
    {
        var value = Value(name).Span;
        return Utf8Parser.TryParse(value, out int number, out var consumed) && consumed == value.Length ? number : null;
    }

    /// <summary>A copy without some members and with others behind the rest.</summary>
    /// <param name="drops">Whether a member of this name goes. Names that are added go anyway.</param>
    /// <param name="adds">Names (no escapes needed) and raw values.</param>
    public byte[] With(Func<string, bool> drops, params ReadOnlySpan<(string Name, ReadOnlyMemory<byte> Value)> adds)
    {
        var room = _bytes.Length + 2;
        foreach (var (name, value) in adds)
        {
            room += name.Length + value.Length + 4;
        }
        var rewritten = new ArrayBufferWriter<byte>(room);
        rewritten.Write("{"u8);
        foreach (var member in _members)
        {
            if (drops(member.Name) || IsAdded(member.Name, adds))
            {
                continue;
            }
            Separate(rewritten);
            rewritten.Write(_bytes.Span[member.Start..member.End]);
        }
        foreach (var (name, value) in adds)
        {
            Separate(rewritten);
            rewritten.Write(Encoding.UTF8.GetBytes($"\"{name}\":"));
            rewritten.Write(value.Span);
        }
        rewritten.Write("}"u8);
        return rewritten.WrittenSpan.ToArray();
    }

    private static bool IsAdded(string name, ReadOnlySpan<(string Name, ReadOnlyMemory<byte> Value)> adds)
    {
        foreach (var added in adds)
        {
            if (added.Name == name)
            {
                return true;
            }
        }
        return false;
    }

    private static void Separate(ArrayBufferWriter<byte> rewritten)
    {
        if (rewritten.WrittenCount > 1)
        {
            rewritten.Write(","u8);
        }
    }
}
