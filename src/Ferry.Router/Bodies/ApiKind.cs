namespace Ferry.Router.Bodies;

/// <summary>Which endpoint a request came to.</summary>
internal enum ApiKind
{
    Completions,
    Chat,
    Responses,

    /// <summary>Anything that one node does alone.</summary>
    Other,
}
