using System.Text;
using Ferry.Router.Bodies;
using Ferry.Router.Connectors;
using Xunit;

namespace Ferry.UnitTests.Router;

public sealed class ConnectorProfileTests
{
    private const string Nested = """{"remote_block_ids":[[1]],"remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":1}""";
    private const string Flat = """{"remote_block_ids":[1],"remote_engine_id":"e","remote_host":"h","remote_port":1}""";
    private const string Push = """{"transfer_mode":"push","remote_block_ids":[[1]],"remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":1}""";
    private const string FerryParams = """{"remote_block_ids":[[1]],"remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":1,"ferry":{"lease_id":"l"}}""";

    [Theory]
    [InlineData(Nested, "0.26.0", "nixl-pull", null)]
    [InlineData(Nested, null, "nixl-pull", null)]
    [InlineData(Flat, "0.11.2", "nixl-pull", null)]
    [InlineData(Flat, null, "nixl-pull", null)]
    [InlineData(Flat, "0.26.0", "nixl-pull", "kv_transfer_params have no remote_request_id")]
    [InlineData("""{"remote_block_ids":[[1]],"remote_engine_id":"e","remote_host":"h","remote_port":1}""", null, "nixl-pull", "kv_transfer_params have no remote_request_id")]
    [InlineData("""{"remote_block_ids":null,"remote_engine_id":"e","remote_request_id":"r","remote_host":"h","remote_port":1}""", null, "nixl-pull", "kv_transfer_params have no remote_block_ids")]
    [InlineData(Push, "0.26.0", "nixl-push", null)]
    [InlineData("""{"transfer_mode":"push","remote_engine_id":"e","remote_host":"h","remote_port":1}""", null, "nixl-push", "kv_transfer_params have no remote_request_id")]
    [InlineData(FerryParams, null, "ferry", null)]
    public void Detect_ByShapeAndVersion_NamesTheProfileAndWhatItLacks(string parameters, string? version, string name, string? missing)
    {
        var body = JsonBody.Parse(Encoding.UTF8.GetBytes(parameters));
        var known = NodeVersion.TryParse(version);
        var profile = ConnectorProfiles.Detect(body, known);
        Assert.Equal((name, missing), (profile.Name, profile.WhyUnusable(body, known)));
    }

    [Fact]
    public void Detect_NodeSaysItIsFerry_ItsParamsNeedALease()
    {
        var body = JsonBody.Parse(Encoding.UTF8.GetBytes(Nested));
        var version = new NodeVersion("0.1.0", 0, 1, IsFerry: true);
        Assert.Equal("kv_transfer_params have no ferry", ConnectorProfiles.Detect(body, version).WhyUnusable(body, version));
    }

    [Theory]
    [InlineData("0.11.2", false)]
    [InlineData("0.12.0rc1.dev580+g1234", true)]
    [InlineData("v0.26.0", true)]
    [InlineData("1.0", true)]
    public void Version_Text_TellsTheWireForm(string text, bool hasRequestIds) => Assert.Equal(hasRequestIds, NodeVersion.TryParse(text)!.HasRequestIds);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("dev")]
    [InlineData("x.y")]
    public void Version_NoVersion_IsNull(string? text) => Assert.Null(NodeVersion.TryParse(text));

    [Theory]
    [InlineData("\"0.0.0.0\"", "http://10.1.1.1:8000", "\"10.1.1.1\"")]
    [InlineData("\"::\"", "http://[fd00::1]:8000", "\"fd00::1\"")]
    [InlineData("\"10.9.9.9\"", "http://10.1.1.1:8000", "\"10.9.9.9\"")]
    public void RemoteHost_Wildcard_BecomesTheNodesHost(string bound, string node, string given)
    {
        var parameters = JsonBody.Parse(Encoding.UTF8.GetBytes($"{{\"remote_host\":{bound},\"remote_block_ids\":[[1, 2]]}}"));
        var reachable = JsonBody.Parse(RemoteHost.Reachable(parameters, new Uri(node)));
        Assert.Equal((given, "[[1, 2]]"), (Encoding.UTF8.GetString(reachable.Value("remote_host"u8).Span), Encoding.UTF8.GetString(reachable.Value("remote_block_ids"u8).Span)));
    }

    [Theory]
    [InlineData("10.9.9.9", "10.9.9.9")]
    [InlineData("0.0.0.0", "10.1.1.1")]
    [InlineData("::", "10.1.1.1")]
    [InlineData("", "10.1.1.1")]
    public void DecodeTarget_AsTheNodeSays_IsAddedToTheWish(string told, string given)
    {
        var answer = JsonBody.Parse(Encoding.UTF8.GetBytes($$"""{"engine_id":"d\"1","host":"{{told}}","port":5600}"""));
        var wish = DecodeTarget.TryRead(answer, new Uri("http://10.1.1.1:8000"))!.AddTo(NixlWish.Bytes);
        var parameters = System.Text.Json.Nodes.JsonNode.Parse(wish.Span)!;
        Assert.True((bool)parameters["do_remote_decode"]!);
        var decode = parameters["ferry"]!["decode"]!;
        Assert.Equal(("d\"1", given, 5600), ((string)decode["engine_id"]!, (string)decode["host"]!, (int)decode["port"]!));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"engine_id":"","host":"h","port":1}""")]
    [InlineData("""{"engine_id":"e","host":"h","port":0}""")]
    [InlineData("""{"engine_id":"e","host":"h","port":70000}""")]
    [InlineData("""{"engine_id":"e","host":7,"port":1}""")]
    [InlineData("""{"error":{"message":"This node takes no pushes."}}""")]
    public void DecodeTarget_NoPlace_IsNull(string answer) =>
        Assert.Null(DecodeTarget.TryRead(JsonBody.Parse(Encoding.UTF8.GetBytes(answer)), new Uri("http://10.1.1.1:8000")));
}
