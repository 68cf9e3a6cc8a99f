namespace Ferry.Engine.Model;

public enum RopeKind
{
    Default,
    Linear,
    Llama3,
}
