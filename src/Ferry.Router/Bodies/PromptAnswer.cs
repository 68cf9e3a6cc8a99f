namespace Ferry.Router.Bodies;

/// <summary>What of an answer only the prefill node can give: the decode node has the KV of the prompt, not its hidden states (vLLM 50792).</summary>
internal enum PromptAnswer
{
    None,

    /// <summary><c>prompt_logprobs</c>.</summary>
    Logprobs,

    /// <summary><c>echo</c>: the prompt's text and, with <c>logprobs</c>, its log probabilities in front of the answer.</summary>
    Echo,
}
