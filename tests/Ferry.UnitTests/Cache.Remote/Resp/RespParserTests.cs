using System.Text;
using CsCheck;
using Ferry.Cache.Remote.Resp;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Resp;

public sealed class RespParserTests
{
    private static readonly RespLimits Small = new(CommandBytesMax: 64 << 10, ValueBytesMax: 1 << 20);

    private static readonly string[] Pieces =
        ["*", "$", "\r\n", "*3\r\n", "$3\r\nSET\r\n", "$3\r\n", "-1", "\r", "\n", "\"", "'", "\\x", "$20000\r\n", "99999999999999999999"];

    [Fact]
    public void Read_PipelinedCommands_GivesEachWithItsWords()
    {
        var parsed = ParsedCommands.Of("*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n*0\r\n*-1\r\n*3\r\n$3\r\nSET\r\n$2\r\n\r\n\r\n$1\r\nv\r\n");

        Assert.Equal([["PING"], ["GET", ""], ["SET", "\r\n", "v"]], parsed.Commands);
    }

    [Theory]
    [InlineData("PING\r\n", "PING")]
    [InlineData("  get   a \n", "get", "a")]
    [InlineData("set k \"a b\\x41\\n\\\"\"\r\n", "set", "k", "a bA\n\"")]
    [InlineData("set k 'it\\'s' x\"y\"\n", "set", "k", "it's", "xy")]
    [InlineData("set k \"\"\n", "set", "k", "")]
    public void Read_InlineCommand_SplitsWordsAsRedisDoes(string line, params string[] words) =>
        Assert.Equal(words, Assert.Single(ParsedCommands.Of(line).Commands));

    [Theory]
    [InlineData("*x\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*99999999999999999999\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*1048577\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*2147483648\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*1\rX", "Protocol error: invalid multibulk length")]
    [InlineData("* 1\r\n", "Protocol error: invalid multibulk length")]
    [InlineData("*1\r\n+OK\r\n", "Protocol error: expected '$', got '+'")]
    [InlineData("*1\r\n\r\n", "Protocol error: expected '$', got '\\x0d'")]
    [InlineData("*1\r\n$-1\r\n", "Protocol error: invalid bulk length")]
    [InlineData("*1\r\n$536870913\r\n", "Protocol error: invalid bulk length")]
    [InlineData("*1\r\n$9223372036854775807\r\n", "Protocol error: invalid bulk length")]
    [InlineData("*1\r\n$4\r\nPINGxx", "Protocol error: expected CR LF behind an argument")]
    [InlineData("get \"a\n", "Protocol error: unbalanced quotes in request")]
    [InlineData("get \"a\"b\n", "Protocol error: unbalanced quotes in request")]
    public void Read_BrokenFraming_SaysWhat(string text, string error)
    {
        var parsed = ParsedCommands.Of(text);

        Assert.Empty(parsed.Commands);
        Assert.Equal(error, parsed.Error);
    }

    [Fact]
    public void Read_InlineWithoutEnd_IsRefusedAtItsLimit() =>
        Assert.Equal("Protocol error: too big inline request", ParsedCommands.Of(new string('a', RespLimits.InlineBytesMax)).Error);

    [Fact]
    public void Read_LongArgumentOfACommandWithoutValue_IsRefusedBeforeItArrives() =>
        Assert.StartsWith("an argument of 100000 bytes is too long here", ParsedCommands.Of("*3\r\n$6\r\nAPPEND\r\n$1\r\nk\r\n$100000\r\n", Small).Error, StringComparison.Ordinal);

    [Fact]
    public void Read_ManySmallArguments_EndAtTheLimitOfACommand()
    {
        var parsed = new ParsedCommands(Small);
        parsed.Add("*16384\r\n$3\r\nDEL\r\n"u8);
        for (var index = 0; index < 10_000 && parsed.Error is null; index++)
        {
            parsed.Add("$3\r\nabc\r\n"u8);
        }

        Assert.Equal("too long", parsed.Error);
        Assert.InRange(parsed.UnreadMax, 1, Small.CommandBytesMax + 16);
    }

    [Theory]
    [InlineData("*11\r\n", "Protocol error: unauthenticated multibulk length")]
    [InlineData("*1\r\n$16385\r\n", "Protocol error: unauthenticated bulk length")]
    public void Read_BeforeThePassword_TakesLittle(string text, string error) => Assert.Equal(error, ParsedCommands.Of(text, isTrusted: false).Error);

    [Fact]
    public void Read_LongValue_IsLeftToItsPlaceAndTheOptionsBehindItAreRead()
    {
        var value = new string('v', 100_000);
        var parsed = new ParsedCommands(Small);
        foreach (var piece in Encoding.Latin1.GetBytes($"*4\r\n$3\r\nset\r\n$1\r\nk\r\n$100000\r\n{value}\r\n$2\r\nNX\r\n*1\r\n$4\r\nPING\r\n").Chunk(1000))
        {
            parsed.Add(piece);
        }

        Assert.Equal([["set", "k", value, "NX"], ["PING"]], parsed.Commands);
        Assert.Equal(1, parsed.ValuesTaken);
        Assert.InRange(parsed.UnreadMax, 1, 2000); // The value never lay in the buffer.
    }

    /// <summary>However a stream is cut, the same commands come out.</summary>
    [Fact]
    public void Read_AnyCommandsCutAnywhere_GivesThemBack()
    {
        var word = Gen.Char[(char)0, (char)255].Array[0, 40].Select(characters => new string(characters));
        var value = Gen.OneOf(word, Gen.Int[RespLimits.BufferedValueBytesMax - 2, RespLimits.BufferedValueBytesMax + 3000].Select(length => new string('\n', length)));
        var command = Gen.OneOf(
            Gen.Select(word, value).Select((key, text) => (string[])["SET", key, text]),
            word.Array[1, 6].Select(words => (string[])["DEL", .. words]));
        Gen.Select(command.Array[1, 6], Gen.Int[1, 5000].Array[1, 8]).Sample((commands, cuts) =>
        {
            var stream = Encoding.Latin1.GetBytes(string.Concat(commands.Select(Write)));
            var parsed = new ParsedCommands(Small);
            for (var (at, turn) = (0, 0); at < stream.Length; turn++)
            {
                var count = Math.Min(cuts[turn % cuts.Length], stream.Length - at);
                parsed.Add(stream.AsSpan(at, count));
                at += count;
            }
            Assert.Null(parsed.Error);
            Assert.Equal(commands, parsed.Commands);
        }, iter: 300);
    }

    /// <summary>Bytes of any kind, many of them nearly the protocol: an answer, never an exception, never more than the limit in the buffer.</summary>
    [Fact]
    public void Read_AnyBytes_NeitherThrowsNorGrows()
    {
        var piece = Gen.OneOf(
            Gen.Byte.Array[0, 30],
            Gen.Int[0, Pieces.Length - 1].Select(index => Encoding.Latin1.GetBytes(Pieces[index])),
            Gen.Int[-5, 70_000].Select(number => Encoding.Latin1.GetBytes($"${number}\r\n")));
        piece.Array[0, 40].Sample(pieces =>
        {
            var parsed = new ParsedCommands(Small);
            foreach (var one in pieces)
            {
                parsed.Add(one);
            }
            Assert.InRange(parsed.UnreadMax, 0, Small.CommandBytesMax + 100);
        }, iter: 20_000);
    }

    private static string Write(string[] words) => $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));
}
