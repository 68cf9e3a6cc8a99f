using System.IO.Compression;
using System.Text;
using CsCheck;
using Ferry.Cluster.Diagnosis;
using Xunit;

namespace Ferry.UnitTests.Cluster.Diagnosis;

public sealed class LogScannerTests
{
    private const string Expired = "WARNING 09-24 16:35:21 [nixl_connector.py:1048] Releasing expired KV blocks for request cmpl-3 which were retrieved by 0 decode worker(s) within 120 seconds.";
    private const string Id = "DIAG-NIXL-07";

    [Fact]
    public async Task Scan_SeveralLines_CountsThemAndKeepsFirstAndLast()
    {
        var scan = await DiagnosisLogs.ScanAsync($"start\n{Expired}\nother\n\n{Expired.Replace("16:35:21", "17:00:00", StringComparison.Ordinal)}\nend");

        var sighting = Assert.Single(scan.Sightings);
        Assert.Equal((Id, 2L, 2L, 5L), (sighting.Signature.Id, sighting.Count, sighting.FirstLine, sighting.LastLine));
        Assert.Equal(("09-24 16:35:21", "09-24 17:00:00"), (sighting.FirstTime, sighting.LastTime));
        Assert.Equal(6, scan.Lines);
    }

    [Fact]
    public async Task Scan_ColouredLines_ReadsThroughTheColours()
    {
        var coloured = "\u001B[1;33mWARNING\u001B[0m Releasing \u001B[31mexpired\u001B[0m KV blocks for request\r\n";
        var sighting = Assert.Single((await DiagnosisLogs.ScanAsync(coloured + coloured)).Sightings);
        Assert.Equal(2, sighting.Count);
        Assert.Equal("WARNING Releasing expired KV blocks for request", Assert.Single(sighting.Evidence));
    }

    [Fact]
    public async Task Scan_Gzip_ReadsWhatIsInside()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("nothing here\n", 100_000)) + Expired));
        }
        packed.Position = 0;
        var scan = await DiagnosisLogs.ScanAsync(packed);
        Assert.Equal(100_001, Assert.Single(scan.Sightings).FirstLine);
        Assert.Equal(packed.Length, scan.Bytes);
    }

    [Fact]
    public async Task Scan_GzipCutInTwo_KeepsWhatItReadAndSaysSo()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.NoCompression, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(Expired + "\n" + string.Concat(Enumerable.Repeat("nothing here\n", 100_000))));
        }
        var bytes = packed.ToArray();
        bytes[bytes.Length / 2] ^= 0xFF;
        Array.Fill(bytes, (byte)0xEE, bytes.Length / 2, 64 << 10);
        using var damaged = new MemoryStream(bytes);
        var scan = await DiagnosisLogs.ScanAsync(damaged);
        Assert.Single(scan.Sightings);
    }

    [Fact]
    public async Task Scan_Utf16WithMark_ReadsIt()
    {
        using var stream = new MemoryStream([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Expired)]);
        Assert.Equal(Id, Assert.Single((await DiagnosisLogs.ScanAsync(stream)).Sightings).Signature.Id);
    }

    [Fact]
    public async Task Scan_LineLongerThanTheLimit_IsCutAndTheNextOneIsRead()
    {
        var limits = new LogScanLimits { LineChars = 1024 };
        var scan = await DiagnosisLogs.ScanAsync($"first\n{new string('x', 1_000_000)}{Expired}\n{Expired}\n", limits);
        Assert.Equal((1L, 3L), (Assert.Single(scan.Sightings).Count, scan.Sightings[0].FirstLine));
        Assert.Contains("longer than 1024", scan.Note, StringComparison.Ordinal);
        Assert.Equal(3, scan.Lines);
    }

    [Fact]
    public async Task Scan_PartsFarApart_AreNotOneTrouble()
    {
        const string Listener = "Exception in thread nixl_handshake_listener:\n", Bind = "zmq.error.ZMQError: Cannot assign requested address (addr='tcp://10.0.0.5:5600')\n";
        Assert.Contains((await DiagnosisLogs.ScanAsync(Listener + string.Concat(Enumerable.Repeat("  File\n", 20)) + Bind)).Sightings, sighting => sighting.Signature.Id == "DIAG-NIXL-05");
        Assert.DoesNotContain((await DiagnosisLogs.ScanAsync(Listener + string.Concat(Enumerable.Repeat("  File\n", 500)) + Bind)).Sightings, sighting => sighting.Signature.Id == "DIAG-NIXL-05");
    }

    [Fact]
    public async Task Scan_MissesWithOneHitAmongThem_AreNoTrouble()
    {
        const string Miss = "LMCache INFO: Reqid: 1, Total tokens 1558, LMCache hit tokens: 0, need to load: 0\n";
        Assert.Single((await DiagnosisLogs.ScanAsync(Miss + Miss)).Sightings);
        Assert.Empty((await DiagnosisLogs.ScanAsync(Miss + Miss.Replace("tokens: 0", "tokens: 512", StringComparison.Ordinal) + Miss)).Sightings);
    }

    [Fact]
    public async Task Evidence_WithSecretsAndControls_ShowsNeither()
    {
        var scan = await DiagnosisLogs.ScanAsync("Releasing expired KV blocks AWS_SECRET_ACCESS_KEY=abcdefgh12345 \a redis://u:hunter2@cache:6379 token hf_abcdefghijklmnopqrstuvwx\n");
        var shown = Assert.Single(Assert.Single(scan.Sightings).Evidence);
        Assert.DoesNotContain("abcdefgh", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", shown, StringComparison.Ordinal);
        Assert.DoesNotContain('\a', shown);
    }

    [Theory]
    [InlineData("[2026-02-10 10:49:06,460] LMCache WARNING", "2026-02-10 10:49:06,460")]
    [InlineData("2025-08-06T16:31:47.665775514Z ERROR", "2025-08-06T16:31:47.665775514Z")]
    [InlineData("(Worker_TP0 pid=1) ERROR 10-16 17:22:56 [x.py:1]", "10-16 17:22:56")]
    [InlineData("[1746690477.974497] [host:611  :0] ucp", "1746690477.974497")]
    [InlineData("W0613 08:28:11.555796    7053 ucx_utils.cpp:43]", "W0613 08:28:11.555796")]
    [InlineData("17:23:04.118 warn: Ferry", "17:23:04.118")]
    [InlineData("no time at all", null)]
    public void Time_OfEachComponent_IsFound(string line, string? time) => Assert.Equal(time, LogTime.Find(line));

    [Fact]
    public void Scan_AnyBytes_EndsAndCountsTheLines() =>
        Gen.OneOf(Gen.Byte.Array[0, 5_000], Pick("\n", "\u001B[", "\u001B[31m", "\r\n", Expired, "LMCache hit tokens: 0,", "/dev/kfd", "\0", "\u001B\n").Array[0, 200].Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts))))
            .Sample(bytes =>
            {
                using var stream = new MemoryStream(bytes);
                var scan = DiagnosisLogs.ScanAsync(stream, new LogScanLimits { LineChars = 1024 }).GetAwaiter().GetResult();
                if (bytes is not [0x1F, 0x8B, ..] and not [0xFF, 0xFE, ..] and not [0xFE, 0xFF, ..])
                {
                    var expected = bytes.Count(value => value == '\n') + (bytes.Length > 0 && bytes[^1] != '\n' ? 1 : 0);
                    Assert.True(scan.Lines == expected || scan.Lines == expected - 1, $"{scan.Lines} lines, {expected} in the bytes.");   // A last line of colours alone is none.
                }
            }, iter: 500);

    private static Gen<string> Pick(params string[] words) => Gen.Int[0, words.Length - 1].Select(at => words[at]);
}
