using System.Globalization;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Sources;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Cluster.Lint;

/// <summary>A guide as people have it: every mistake in it is found, where it stands. And one that works has no error.</summary>
public sealed class GuideTests
{
    private static readonly Lazy<LintReport> Guide = new(() => LintGuide("mi300x-gaudi3-lmcache.md"));

    /// <summary>What is wrong with the guide as a set-up of vLLM: the mistake, the rule, the lines.</summary>
    public static TheoryData<string, string, string> VllmMistakes() => new()
    {
        { "LMCache is set and never loaded", "FERRY-LMC001", "171 220 278 332" },
        { "the decode node's side channel is bound to the prefill node's address", "FERRY-PAIR013", "193 300" },
        { "no router", "FERRY-PAIR016", "128 231" },
        { "placeholders that a shell reads as redirections", "FERRY-SH006", "141 193 244 262 263 300 319 320" },
        { "comments inside continued commands", "FERRY-SH001", "137 189 240 296" },
        { "the handshake hash differs", "FERRY-KVT008", "220 332" },
        { "block sizes differ with a host buffer", "FERRY-KVT009", "171 278" },
        { "regions and layouts of the vendors differ", "FERRY-KVT014", "220 332" },
        { "no RDMA device in the container", "FERRY-UCX005", "138 190 241 297" },
        { "no IPC_LOCK", "FERRY-CTR005", "128 185 231 292" },
        { "no memlock limit", "FERRY-CTR006", "128 180 231 287" },
        { "not in the render group", "FERRY-CTR002", "130 233" },
        { "default seccomp profile", "FERRY-CTR003", "128 231" },
        { "the gaudi alias is newer than the UCX", "FERRY-UCX003", "190 297" },
        { "GPU-direct transports with host buffers", "FERRY-UCX008", "138 190 241 297" },
        { "the model's id", "FERRY-VLLM004", "164 215 271 327" },
        { "a base model without a chat template", "FERRY-VLLM005", "164 215 271 327" },
        { "a gated model without a token", "FERRY-CTR012", "164 215 271 327" },
        { "remote code", "FERRY-SEC003", "173 222 280 334" },
        { "credentials on the command line", "FERRY-SEC002", "262 263 319 320" },
        { "PYTHONHASHSEED is not set", "FERRY-LMC029", "152 204 260 317" },
        { "lazy mode", "FERRY-HPU001", "183 290" },
        { "lazy collectives", "FERRY-HPU002", "183 290" },
        { "flags that are defaults", "FERRY-VLLM003", "169 170 276 277" },
        { "load failure policy", "FERRY-KVT011", "220 332" },
        { "lease", "FERRY-KVT010", "171 278" },
        { "the handshake's attention backend is left to the image", "FERRY-PAIR008", "164 271" },
        { "host memory of the host buffers", "FERRY-KVT012", "171 220 278 332" },
        { "all Gaudi devices for four ranks", "FERRY-HPU003", "182 289" },
        { "the cache is not lost after a request", "FERRY-DOC001", "90" },
        { "rocm is not GPU-direct", "FERRY-UCX016", "138 241" },
        { "rocm and gaudi are not GPU-direct, dc is not everywhere", "FERRY-DOC003", "34 38 39" },
    };

    /// <summary>What is wrong with it as a set-up of LMCache.</summary>
    public static TheoryData<string, string, string> LmCacheMistakes() => new()
    {
        { "the connector never loads LMCache", "FERRY-LMC001", "171 220 278 332" },
        { "prefill-decode mode lacks its buffer, its peers and its proxy", "FERRY-LMC016", "152 204 255 311" },
        { "LMCACHE_S3_ENDPOINT_URL does not exist", "FERRY-LMC003", "261 318" },
        { "the S3 URL has a path", "FERRY-LMC032", "260 317" },
        { "plain http needs disable_tls", "FERRY-LMC034", "261 318" },
        { "and is in the clear", "FERRY-SEC005", "261 318" },
        { "AWS_DEFAULT_REGION is not read", "FERRY-LMC033", "264 321" },
        { "credentials on the command line", "FERRY-SEC002", "262 263 319 320" },
        { "S3 needs save_chunk_meta=false", "FERRY-LMC035", "260 317" },
        { "and two more switches on Ceph", "FERRY-LMC036", "260 317" },
        { "and refuses the unfull chunks of prefill-decode mode", "FERRY-LMC019", "260 317" },
        { "PYTHONHASHSEED is not set", "FERRY-LMC029", "152 204 260 317" },
        { "the roles never load, or never save", "FERRY-LMC027", "171 220 278 332" },
        { "the decode node's side channel", "FERRY-PAIR013", "193 300" },
        { "CPU sizes are per rank", "FERRY-LMC010", "146 198 249 305" },
        { "disk sizes are per rank", "FERRY-LMC011", "148 200 251 307" },
        { "and small beside the accelerators' own KV", "FERRY-CAP003", "146 148 198 200 249 251 305 307" },
        { "local tiers are kept until eviction", "FERRY-DOC001", "90" },
        { "the disk's index is in memory", "FERRY-LMC015", "147 199 250 306" },
        { "the disk tier is lost with the container", "FERRY-CTR009", "147 199 250 306" },
        { "gaudi is UCX's matter", "FERRY-UCX003", "190 297" },
        { "and so is rocm", "FERRY-UCX016", "138 241" },
        { "host buffers are NixlConnector's matter", "FERRY-KVT012", "171 220 278 332" },
        { "dtype, part of the keys, is left to each vendor", "FERRY-PAIR002", "215 327" },
        { "the model string, part of the keys, is not the canonical one", "FERRY-VLLM004", "164 215 271 327" },
        { "rates that no port has", "FERRY-DOC002", "85 102 484 486" },
        { "log lines that UCX does not print", "FERRY-DOC004", "442 443" },
        { "a verification that verifies nothing", "FERRY-DOC005", "403 407" },
        { "no fallback", "FERRY-UCX006", "138 190 241 297" },
        { "images are not pinned", "FERRY-CTR011", "163 214 270 326" },
        { "no API key", "FERRY-SEC006", "172 221 279 333" },
        { "more sequences than KV holds", "FERRY-CAP002", "166 217 273 329" },
    };

    [Theory]
    [MemberData(nameof(VllmMistakes))]
    [MemberData(nameof(LmCacheMistakes))]
    public void Guide_AsWritten_HasTheFindingOnItsLines(string mistake, string rule, string lines)
    {
        var found = Guide.Value.Findings.Where(finding => finding.Rule.Id == rule).Select(finding => finding.Span.Line).ToHashSet();
        var missing = lines.Split(' ').Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(line => !found.Contains(line)).ToArray();
        Assert.True(missing.Length == 0, $"{mistake}: {rule} is not on {string.Join(", ", missing)}, but on {string.Join(", ", found.Order())}.");
    }

    [Fact]
    public void Guide_AsWritten_MakesEveryFindingSayWhatToDo() =>
        Assert.All(Guide.Value.Findings, finding => Assert.True(finding.Message.Length > 20 && finding.Message.Length < 900, $"{finding.Rule.Id} at {finding.Span}: {finding.Message}"));

    [Fact]
    public void Guide_Corrected_HasNoErrorAndNoWarning()
    {
        var report = LintGuide("mi300x-gaudi3-corrected.md");
        Assert.Empty(report.Findings.Where(finding => finding.Severity >= LintSeverity.Warning).Select(finding => $"{finding.Span} {finding.Rule.Id} {finding.Message}"));
    }

    [Fact]
    public void Guide_WithLiveKeys_FindsThemAndNeverShowsThem()
    {
        // Of the form of a real key, made here so that no file holds one.
        var id = string.Concat("AKIA", "QWERTZUIOPASDFGH");
        var secret = new string([.. Enumerable.Range(0, 40).Select(i => "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[i * 17 % 62])]);
        var text = File.ReadAllText(PathOf("mi300x-gaudi3-lmcache.md")).Replace("<access-key>", id, StringComparison.Ordinal).Replace("<secret-key>", secret, StringComparison.Ordinal);
        var report = Linter.Run([new SourceFile("guide.md", text)], LintOptions.Default);
        var lines = report.Findings.Where(finding => finding.Rule.Id == "FERRY-SEC001").Select(finding => finding.Span.Line).ToHashSet();
        Assert.Superset(new HashSet<int> { 262, 263, 319, 320 }, lines);
        Assert.All(report.Findings, finding => Assert.DoesNotContain(secret, finding.Message, StringComparison.Ordinal));
        Assert.All(report.Findings, finding => Assert.DoesNotContain(id, finding.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(secret, report.Redact(text), StringComparison.Ordinal);
        Assert.DoesNotContain(id, report.Redact(text), StringComparison.Ordinal);
    }

    private static LintReport LintGuide(string name) => Linter.Run([new SourceFile(name, File.ReadAllText(PathOf(name)))], LintOptions.Default);

    private static string PathOf(string name) => RepositoryRoot.At("tests", "data", "guides", name);
}
