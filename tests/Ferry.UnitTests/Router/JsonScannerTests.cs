using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using CsCheck;
using Ferry.Router.Bodies;
using Xunit;

namespace Ferry.UnitTests.Router;

/// <summary>The fast scanner against the reader of System.Text.Json: it finds the same members, and accepts nothing that the reader refuses.</summary>
public sealed class JsonScannerTests
{
    private static readonly Gen<string> Text = Gen.String[Gen.Char, 0, 40];

    private static readonly Gen<string> Scalar = Gen.OneOf(
        Text.Select(text => JsonSerializer.Serialize(text)),
        Gen.Double.Where(double.IsFinite).Select(value => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture)),
        Gen.Long.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.OneOf(Const("true"), Const("false"), Const("null"), Const("0"), Const("-0"), Const("1.00e0"), Const("1E+5"), Const("\"\\u00e9\\n\\\"\""), Const("\"é😀\""), Const("[ 1 , 2 ]")));

    private static readonly Gen<string> Numbers = Gen.Select(Gen.UInt.Array[0, 40], Gen.OneOf(Const(","), Const(", "), Const(" ,\n"))).Select((ids, comma) => $"[{string.Join(comma, ids)}]");

    private static readonly Gen<string> Space = Gen.OneOf(Const(""), Const(" "), Const("\n\t "), Const("\r\n"));

    private static readonly Gen<string> Value = Gen.Recursive<string>((depth, value) => depth > 4 ? Scalar : Gen.OneOf(Scalar, Numbers, Array(value), Object(value)));

    private static readonly Gen<string> Body = Object(Value);

    [Fact]
    public void TryReadObject_RandomObjects_FindsWhatTheReaderFinds() => Body.Sample(
        json =>
        {
            var bytes = Encoding.UTF8.GetBytes(json);
            var fast = new List<JsonMember>();
            if (!new JsonScanner(bytes, JsonBody.MaxDepth).TryReadObject(fast))
            {
                return json.Contains('\\', StringComparison.Ordinal);   // only escaped names are left to the reader
            }
            return CollectionsMarshal.AsSpan(fast).SequenceEqual(JsonBody.ReadCarefully(bytes, [])!.Members);
        },
        iter: 3000);

    [Fact]
    public void TryReadObject_DamagedObjects_AcceptsNothingThatTheReaderRefuses() => Gen.Select(Body, Gen.Int[0, 10_000], Gen.Byte, Gen.Int[0, 2]).Sample(
        (json, place, change, how) =>
        {
            var bytes = Encoding.UTF8.GetBytes(json).ToList();
            var at = place % bytes.Count;
            if (how == 0)
            {
                bytes[at] = change;
            }
            else if (how == 1)
            {
                bytes.RemoveAt(at);
            }
            else
            {
                bytes.Insert(at, change);
            }
            byte[] damaged = [.. bytes];
            return !new JsonScanner(damaged, JsonBody.MaxDepth).TryReadObject([]) || ReaderAccepts(damaged);
        },
        iter: 20_000);

    [Theory]
    [InlineData("\\n", true)]
    [InlineData("\\\"", true)]
    [InlineData("\\\\", true)]
    [InlineData("\\u00e4", true)]
    [InlineData("\\\\\\\"\\n\\\\", true)]
    [InlineData("\\x", false)]
    [InlineData("\\u00g4", false)]
    [InlineData("\t", false)]
    public void TryReadObject_AnEscapeAnywhereInALongString_IsJudgedAsTheReaderDoes(string escape, bool accepted)
    {
        for (var before = 0; before < 100; before++)
        {
            var json = Encoding.UTF8.GetBytes($"{{\"a\":\"{new string('x', before)}{escape}{new string('y', 99 - before)}\",\"b\":1}}");
            var members = new List<JsonMember>();
            Assert.Equal((accepted, accepted), (new JsonScanner(json, JsonBody.MaxDepth).TryReadObject(members), ReaderAccepts(json)));
            Assert.True(!accepted || CollectionsMarshal.AsSpan(members).SequenceEqual(JsonBody.ReadCarefully(json, [])!.Members), $"{before} characters before");
            // Cut anywhere it is no object, also where the cut leaves half an escape.
            for (var length = before; length < json.Length; length++) { Assert.False(new JsonScanner(json.AsSpan(0, length), JsonBody.MaxDepth).TryReadObject([])); }
        }
    }

    [Theory]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":1.}""")]
    [InlineData("""{"a":-}""")]
    [InlineData("""{"a":"x}""")]
    [InlineData("{\"a\":\"x\ny\"}")]
    [InlineData("""{"a":"\x"}""")]
    [InlineData("""{"a":"\u12g4"}""")]
    [InlineData("""{"a":tru}""")]
    [InlineData("""{"a":1}}""")]
    [InlineData("""{"a":[1,2}""")]
    [InlineData("""{"a":[1,2,}""")]
    [InlineData("""{"a":[1,2,]}""")]
    [InlineData("""{"a":[1,,2]}""")]
    [InlineData("""{"a":[00,1]}""")]
    [InlineData("""{"a":[1,02,3]}""")]
    [InlineData("""{"a":[1,02]}""")]
    [InlineData("""{"a":[1 2]}""")]
    [InlineData("""{"a":[1,2""")]
    [InlineData("""{"a":[1,""")]
    [InlineData("""{a:1}""")]
    [InlineData("""[{"a":1}]""")]
    [InlineData("")]
    public void TryReadObject_NoJsonObject_IsLeftToTheReader(string json) => Assert.False(new JsonScanner(Encoding.UTF8.GetBytes(json), JsonBody.MaxDepth).TryReadObject([]));

    [Theory]
    [InlineData(127, true)]
    [InlineData(128, false)]
    public void TryReadObject_Depth_IsBoundedAsTheReaderBoundsIt(int arrays, bool accepted)
    {
        var json = Encoding.UTF8.GetBytes($"{{\"a\":{new string('[', arrays)}{new string(']', arrays)}}}");
        Assert.Equal((accepted, accepted), (new JsonScanner(json, JsonBody.MaxDepth).TryReadObject([]), ReaderAccepts(json)));
    }

    private static Gen<string> Const(string text) => Gen.Const(text);

    private static bool ReaderAccepts(byte[] json)
    {
        try
        {
            return JsonBody.ReadCarefully(json, []) is not null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static Gen<string> Array(Gen<string> value) =>
        Gen.Select(value.Array[0, 5], Space).Select((elements, space) => $"[{space}{string.Join($"{space},{space}", elements)}{space}]");

    private static Gen<string> Object(Gen<string> value) =>
        Gen.Select(Gen.Select(Text.Select(name => JsonSerializer.Serialize(name)), value).Array[0, 6], Space)
            .Select((members, space) => $"{{{space}{string.Join($"{space},{space}", members.Select(member => $"{member.Item1}{space}:{space}{member.Item2}"))}{space}}}");
}
