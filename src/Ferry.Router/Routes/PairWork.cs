using Ferry.Router.Bodies;
using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>One prompt and one choice of a request: what one pair of legs works on.</summary>
/// <param name="Prompt">Raw value that replaces the body's prompt, or empty.</param>
/// <param name="ChoiceIndex">Which of n choices; null: the node makes all that the body asks for.</param>
/// <param name="Deadline">Timestamp by which the whole request must be over.</param>
internal sealed record PairWork(
    LegRequest Request, JsonBody Body, ApiKind Api, ReadOnlyMemory<byte> Prompt, PromptAnswer PromptAnswer, int? ChoiceIndex, ChoiceFacts Facts, RequestAccount Account, long Deadline)
{
    /// <summary>Told which node did the prefill as soon as it is done, for others of the same prompt; null: nobody waits.</summary>
    public TaskCompletionSource<Node?>? Prefilled { get; init; }
}
