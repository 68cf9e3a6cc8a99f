using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ferry.Router.Bodies;

/// <summary>A JSON object whose members are known by their place, without a tree: what is not touched stays byte for byte.</summary>
/// <remarks>The whole text is checked once, so that what is rewritten is known to be JSON. Names that stand twice are all seen.</remarks>
internal sealed class JsonBody
{
    /// <summary>Tool schemas nest, hostile bodies nest more.</summary>
    public const int MaxDepth = 128;

    private const int OuterMembers = 16;   // a request's, an answer's
    private const int InnerMembers = 4;    // usage and its details

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly List<JsonMember> _members;

    private JsonBody(ReadOnlyMemory<byte> bytes, List<JsonMember> members)
    {
        _bytes = bytes;
        _members = members;
    }

    /// <summary>The object without members.</summary>
    public static JsonBody Empty { get; } = new("{}"u8.ToArray(), []);

    public ReadOnlyMemory<byte> Bytes => _bytes;

    public ReadOnlySpan<JsonMember> Members => CollectionsMarshal.AsSpan(_members);

    /// <summary>Reads a client's body.</summary>
    /// <exception cref="RouterException">400: no JSON object, nested too deeply, or no UTF-8 in a name.</exception>
    public static JsonBody Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return Read(bytes, OuterMembers) ?? throw RouterException.BadRequest("The request body must be a JSON object.");
        }
        catch (JsonException exception)
        {
            throw RouterException.BadRequest($"The request body is not valid JSON: {exception.Message.Split(" LineNumber")[0]}");
        }
        catch (InvalidOperationException)
        {
            throw RouterException.BadRequest("The request body is not valid UTF-8.");
        }
    }

    /// <summary>For what nodes answer: null when it is no JSON object.</summary>
    /// <param name="usualMembers">Room that is made for members at first.</param>
    public static JsonBody? TryParse(ReadOnlyMemory<byte> bytes, int usualMembers = OuterMembers)
    {
        try
        {
            return Read(bytes, usualMembers);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The raw value of a member (the last of that name, as parsers take it), or empty.</summary>
    public ReadOnlyMemory<byte> Value(ReadOnlySpan<byte> name) =>
        TryFind(name, out var member) ? _bytes[member.ValueStart..member.End] : default;

    /// <summary>The last member of that name.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out JsonMember found)
    {
        var json = _bytes.Span;
        for (var index = _members.Count - 1; index >= 0; index--)
        {
            if (_members[index].NameIn(json).SequenceEqual(name))
            {
                found = _members[index];
                return true;
            }
        }
        found = default;
        return false;
    }

    /// <summary>The object that is a member's value, or null.</summary>
    public JsonBody? Object(ReadOnlySpan<byte> name)
    {
        var value = Value(name);
        return value.Length > 0 && value.Span[0] == (byte)'{' ? TryParse(value, InnerMembers) : null;
    }

    /// <summary>Whether a member is there and is neither null nor false.</summary>
    public bool Asks(ReadOnlySpan<byte> name)
    {
        var value = Value(name).Span;
        return !value.IsEmpty && !value.SequenceEqual("null"u8) && !value.SequenceEqual("false"u8);
    }

    /// <summary>A member that is a whole number; null when absent, null or something else.</summary>
    public long? Integer(ReadOnlySpan<byte> name)
    {
        var value = Value(name).Span;
        return Utf8Parser.TryParse(value, out long number, out var consumed) && consumed == value.Length ? number : null;
    }

    /// <summary>A member that is a string, unescaped; null when absent, something else, or longer than <paramref name="maxBytes"/>.</summary>
    public string? Text(ReadOnlySpan<byte> name, int maxBytes = 1024)
    {
        var value = Value(name).Span;
        if (value.Length < 2 || value.Length > maxBytes || value[0] != (byte)'"')
        {
            return null;
        }
        var reader = new Utf8JsonReader(value);
        try
        {
            return reader.Read() ? reader.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;   // no UTF-8
        }
    }

    private static JsonBody? Read(ReadOnlyMemory<byte> bytes, int usualMembers)
    {
        var members = new List<JsonMember>(usualMembers);
        if (new JsonScanner(bytes.Span, MaxDepth).TryReadObject(members))
        {
            return new JsonBody(bytes, members);
        }
        members.Clear();
        return ReadCarefully(bytes, members);
    }

    /// <summary>For escaped names, and for the words about what is wrong.</summary>
    internal static JsonBody? ReadCarefully(ReadOnlyMemory<byte> bytes, List<JsonMember> members)
    {
        var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (start, nameLength) = ((int)reader.TokenStartIndex, reader.ValueSpan.Length);
            var unescaped = reader.ValueIsEscaped ? System.Text.Encoding.UTF8.GetBytes(reader.GetString()!) : null;
            reader.Read();
            var valueStart = (int)reader.TokenStartIndex;
            reader.Skip();
            members.Add(new JsonMember(start, nameLength, valueStart, (int)reader.BytesConsumed, unescaped));
        }
        reader.Read();   // throws when something stands behind the object
        return new JsonBody(bytes, members);
    }
}
