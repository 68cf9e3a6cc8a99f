using System.Text;
using System.Text.Json;
using CsCheck;
using Ferry.Cache.Remote.Lm;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cache.Remote.Lm;

public sealed class LmWireTests
{
    private static readonly JsonElement Recorded = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests/data/fronts/lmcache_lm_wire.json"))).RootElement;

    /// <summary>Every header that a running LMCache was seen to send and to get.</summary>
    [Fact]
    public void ReadAndWrite_EveryRecordedHeader_IsReadAndWrittenByteForByte()
    {
        var count = 0;
        foreach (var message in Recorded.GetProperty("messages").EnumerateArray())
        {
            var bytes = Convert.FromHexString(message.GetProperty("header_hex").GetString()!);
            var shape = Shape(message);
            var length = message.GetProperty("length").GetInt32();
            if (message.GetProperty("dir").GetString() == "s2c")
            {
                var reply = new byte[36];
                LmWire.WriteReply(LmForm.WithLocation, message.GetProperty("code").GetInt32(), length, shape, reply);
                Assert.Equal(bytes, reply);
            }
            else
            {
                Assert.Equal(LmForm.WithLocation, LmWire.FindForm(bytes));
                var request = LmWire.Read(bytes, LmForm.WithLocation, 1 << 29, out var problem);
                var key = message.GetProperty("key").GetString()!;
                Assert.Null(problem);
                Assert.Equal(message.GetProperty("command").GetString(), request.Command.ToString().ToUpperInvariant());
                Assert.Equal((length, shape, 0), (request.ValueBytes, request.Shape, request.Location));
                Assert.Equal(key, Encoding.UTF8.GetString(bytes, request.KeyOffset, request.KeyBytes));
                Assert.Equal(bytes, LmWire.WriteRequest(LmForm.WithLocation, request.Command, length, shape, Encoding.UTF8.GetBytes(key)));
            }
            count++;
        }
        Assert.Equal(36, count);
    }

    /// <summary>The older header, from LMCache's format string &lt;8i150s: command, length, fmt, dtype, shape, key.</summary>
    [Fact]
    public void ReadAndWrite_OldHeader_HasNoLocation()
    {
        var golden = "01000000" + "00004001" + "01000000" + "03000000" + "02000000" + "28000000" + "00010000" + "00020000"
            + Convert.ToHexString(Encoding.ASCII.GetBytes("vllm@m@1@0@ff".PadRight(150)));
        var shape = new LmShape(1, 3, 2, 40, 256, 512);
        var written = LmWire.WriteRequest(LmForm.Old, LmCommand.Put, 20_971_520, shape, "vllm@m@1@0@ff"u8);

        Assert.Equal(golden, Convert.ToHexString(written), ignoreCase: true);
        Assert.Equal(LmForm.Old, LmWire.FindForm(written));
        var request = LmWire.Read(written, LmForm.Old, 1 << 29, out var problem);
        Assert.Null(problem);
        Assert.Equal((LmCommand.Put, 20_971_520, shape, 32, 13), (request.Command, request.ValueBytes, request.Shape, request.KeyOffset, request.KeyBytes));
        var reply = new byte[32];
        LmWire.WriteReply(LmForm.Old, 200, 20_971_520, shape, reply);
        Assert.Equal("c8000000" + "00004001" + "01000000" + "03000000" + "02000000" + "28000000" + "00010000" + "00020000", Convert.ToHexString(reply), ignoreCase: true);
    }

    /// <summary>No valid request of one form is taken for the other, whatever its key and shape.</summary>
    [Fact]
    public void FindForm_AnyValidRequest_IsItsOwn()
    {
        var axis = Gen.Int[0, (1 << 24) - 1];
        var key = Gen.Char[' ', '~'].Array[0, 150].Select(characters => new string(characters));
        Gen.Select(key, axis, axis, Gen.Enum<LmCommand>(), Gen.Bool).Sample((text, axis2, axis3, command, isOld) =>
        {
            var form = isOld ? LmForm.Old : LmForm.WithLocation;
            var header = LmWire.WriteRequest(form, command, 5, new LmShape(1, 3, 2, 4, axis2, axis3), Encoding.ASCII.GetBytes(text));
            Assert.Equal(form, LmWire.FindForm(header));
            var request = LmWire.Read(header, form, 100, out var problem);
            Assert.Null(problem);
            Assert.Equal(text.TrimEnd(' '), Encoding.ASCII.GetString(header, request.KeyOffset, request.KeyBytes));
        }, iter: 2000);
    }

    [Fact]
    public void Read_AnyBytes_NeitherThrowsNorGivesALengthBeyondTheLimit() => Gen.Byte.Array[186].Sample(bytes =>
    {
        if (LmWire.FindForm(bytes) is { } form)
        {
            var request = LmWire.Read(bytes.AsSpan(0, LmWire.RequestBytes(form)), form, 1 << 20, out var problem);
            Assert.True(problem is not null || (request.ValueBytes is >= 0 and <= 1 << 20 && Enum.IsDefined(request.Command)));
            Assert.InRange(request.KeyBytes, 0, 150);
        }
    }, iter: 20_000);

    [Theory]
    [InlineData(0, 0, "command 0 is none of 1 (PUT) to 5 (HEALTH).")]
    [InlineData(6, 0, "command 6 is none of 1 (PUT) to 5 (HEALTH).")]
    [InlineData(1, -1, "a value of -1 bytes; it must lie in 0..100 (valueBytesMax).")]
    [InlineData(1, 101, "a value of 101 bytes; it must lie in 0..100 (valueBytesMax).")]
    public void Read_NumbersOutOfRange_SaysWhich(int command, int length, string expected)
    {
        LmWire.Read(LmWire.WriteRequest(LmForm.WithLocation, (LmCommand)command, length, LmShape.OfNothing, "k"u8), LmForm.WithLocation, 100, out var problem);

        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Note_OfARecordedPut_IsTheMetadataThatTheRedisClientStores()
    {
        var note = new byte[LmShape.NoteBytes];
        new LmShape(1, 3, 2, 40, 256, 512).WriteNote(20_971_520, note);

        // As recorded: SET …metadata of the redis:// client.
        Assert.Equal("00004001010000000300000002000000280000000001000000020000", Convert.ToHexString(note), ignoreCase: true);
        Assert.Equal(new LmShape(1, 3, 2, 40, 256, 512), LmShape.TryReadNote(note, 20_971_520));
        Assert.Null(LmShape.TryReadNote(note, 20_971_519));
        Assert.Null(LmShape.TryReadNote(note.AsSpan(1), 20_971_520));
        Assert.Null(LmShape.TryReadNote([], 0));
    }

    private static LmShape Shape(JsonElement message)
    {
        var axes = message.GetProperty("shape").EnumerateArray().Select(axis => axis.GetInt32()).ToArray();
        return new LmShape(message.GetProperty("fmt").GetInt32(), message.GetProperty("dtype").GetInt32(), axes[0], axes[1], axes[2], axes[3]);
    }
}
