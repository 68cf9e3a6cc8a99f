using System.Text;
using Ferry.Router.Bodies;
using Xunit;

namespace Ferry.UnitTests.Router;

public sealed class AnswerEditTests
{
    private const string Answer = """{"choices":[{"text":"say \"cached_tokens\":9"}],"usage":{"prompt_tokens":5, "prompt_tokens_details" : {"cached_tokens" : 4,"x":1} },"kv_transfer_params":null}""";

    [Fact]
    public void Mend_AfterAHandover_ChangesTheNumberAndNothingElse() =>
        Assert.Equal(Answer.Replace("\"cached_tokens\" : 4", "\"cached_tokens\" : 2", StringComparison.Ordinal), Mend(Answer, true, 2));

    [Fact]
    public void Mend_PrefillDidNotSay_MakesTheDetailsUnknown() =>
        Assert.Equal(Answer.Replace("""{"cached_tokens" : 4,"x":1}""", "null", StringComparison.Ordinal), Mend(Answer, true, null));

    [Theory]
    [InlineData(Answer, false)]
    [InlineData("""{"usage":null}""", true)]
    [InlineData("""{"usage":{"prompt_tokens":5}}""", true)]
    [InlineData("""{"usage":{"prompt_tokens":5,"prompt_tokens_details":null}}""", true)]
    [InlineData("no json", true)]
    public void Mend_NothingToMend_IsNull(string answer, bool handedOver) => Assert.Null(Mend(answer, handedOver, 2));

    [Fact]
    public void Mend_ParamsOfTheDecodeNode_StayInTheCluster() =>
        Assert.Equal("""{"a":1,"kv_transfer_params":null}""", Mend("""{"a":1,"kv_transfer_params":{"remote_host":"10.0.0.1"}}""", false, null));

    [Fact]
    public void Mend_ResponsesApi_IsMendedInsideTheEvent() =>
        Assert.Equal(
            """{"type":"response.completed","response":{"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":0}}}}""",
            Mend("""{"type":"response.completed","response":{"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":4}}}}""", true, null));

    [Theory]
    [InlineData("""{"choices":[{"finish_reason":"error"}]}""", true)]
    [InlineData("""{"choices":[{"finish_reason": "stop"},{"finish_reason" : "error"}]}""", true)]
    [InlineData("""{"choices":[{"finish_reason":"length"}]}""", false)]
    [InlineData("""{"choices":[{"text":"\"finish_reason\":\"error\"","finish_reason":null}]}""", false)]
    public void Failure_OfAChoice_IsSeenInNamesAndNotInText(string answer, bool failed) => Assert.Equal(failed, AnswerFailure.HasFailedChoice(Encoding.UTF8.GetBytes(answer)));

    [Theory]
    [InlineData("""{"error":{"message":"x"}}""", true)]
    [InlineData("""{"error": {"message": "x"}}""", true)]
    [InlineData("""{"type":"error","code":"x"}""", true)]
    [InlineData("""{"type":"response.failed","response":{}}""", true)]
    [InlineData("""{"type":"response.created","response":{"error":null}}""", false)]
    [InlineData("""{"error":null,"choices":[]}""", false)]
    [InlineData("[DONE]", false)]
    public void Failure_OfAnEvent_IsSeen(string data, bool failed) => Assert.Equal(failed, AnswerFailure.IsErrorEvent(Encoding.UTF8.GetBytes(data)));

    private static string? Mend(string answer, bool handedOver, int? cached) =>
        AnswerEdit.Mend(Encoding.UTF8.GetBytes(answer), handedOver, cached) is { } parts ? Encoding.UTF8.GetString(parts.ToArray()) : null;
}
