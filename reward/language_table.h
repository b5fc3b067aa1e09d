#ifndef R1_REWARD_LANGUAGE_TABLE_H
#define R1_REWARD_LANGUAGE_TABLE_H
/* What tells the languages of the Latin script apart: function words (with those of reasoning about
 * numbers), frequent letter trigrams (_ is a word's border), and letters beside a-z.  Written for
 * this project from common knowledge of the languages; blanks stand between the entries and at both
 * ends. */

static const char en_words[] =
    " the of and to in is it that was for on are as with be at this have from or by not but "
    "what all were we when your can there an each which she do how their if will up other "
    "about out many then them these so some would make like him into has two more no way "
    "could my than first been now down did get may where after back only me our under very "
    "just think also because since thus hence therefore let he you they his her its who need "
    "needs had should must equals plus minus times divided gives answer number numbers three "
    "four five six seven eight nine ten wait check maybe again here any one find says said "
    "using use same both does don't it's let's that's i'm i'll we're okay well step total sum "
    "per ";

static const char de_words[] =
    " der die das und ist in zu den von mit auf für nicht ein eine einer eines einem einen als "
    "auch es an werden aus er hat dass sie nach wird bei um am sind noch wie über so zum war "
    "haben nur oder aber vor zur bis mehr durch man sein wurde sich wir ich du ihr wenn dann "
    "also da weil denn jetzt hier diese dieser dieses kann muss müssen können zwei drei vier "
    "fünf sechs sieben acht neun zehn plus minus mal geteilt gleich ergibt gibt antwort zahl "
    "zahlen summe zuerst daher somit welche was wer wo wieder nochmal warte doch schon immer "
    "unter gegen vom im des dem ja nein ";

static const char fr_words[] =
    " le la les de des du et est un une en que qui dans pour pas sur au aux par avec ce cette "
    "ces il elle ils elles nous vous je tu on se son sa ses leur leurs mais ou où donc or ni "
    "car si plus moins ne sont être avoir a à fait faire tout tous comme alors ainsi puis "
    "maintenant ici deux trois quatre cinq six sept huit neuf dix fois divisé égal donne "
    "réponse nombre nombres somme d'abord parce quand peut doit c'est n'est qu'il l'on d'un "
    "d'une j'ai aussi très bien encore entre sans sous chaque même autre ";

static const char es_words[] =
    " el la los las de del y es un una en que quien para no por con se su sus lo al como más "
    "menos pero o si porque cuando donde está están son ser hay tiene tienen muy ya este esta "
    "estos estas eso esto nosotros yo tú él ella ellos entonces así ahora aquí luego primero "
    "dos tres cuatro cinco seis siete ocho nueve diez veces dividido igual da respuesta "
    "número números suma tanto también cada entre sin sobre puede debe vamos tenemos podemos "
    "qué cuál cuánto todo todos otra otro espera hasta desde fue era ";

static const char it_words[] =
    " il lo la i gli le di del della dei delle e è un uno una in che chi per non con si su nel "
    "nella al alla da dal dalla come più meno ma o se perché quando dove sono essere ha hanno "
    "molto già questo questa questi queste quello quella noi io tu lui lei loro allora così "
    "adesso ora qui poi quindi prima due tre quattro cinque sei sette otto nove dieci volte "
    "diviso uguale risposta numero numeri somma anche ogni tra senza sopra può deve abbiamo "
    "possiamo cosa quale quanto tutto tutti altro altra aspetta ancora era l'altro dell'area "
    "c'è ";

static const char pt_words[] =
    " o a os as de do da dos das e é um uma em no na nos nas que quem para não por com se seu "
    "sua ao à como mais menos mas ou porque quando onde está estão são ser há tem têm muito "
    "já este esta isso isto esse essa nós eu você ele ela eles então assim agora aqui depois "
    "primeiro dois duas três quatro cinco seis sete oito nove dez vezes dividido igual "
    "resposta número números soma portanto também cada entre sem sobre pode deve vamos temos "
    "podemos qual quanto tudo todos outro outra espere até desde foi era pelo pela ";

static const char en_trigrams[] =
    " _th the he_ nd_ _an and ed_ ing ng_ _to to_ _in er_ _of of_ is_ _a_ es_ on_ re_ tha hat "
    "at_ ion tio ent ter for _wh _we we_ all ly_ ver ith wit his her thi ere _be ll_ ght oug "
    "oul uld ld_ ow_ st_ _st _so ess nes men ck_ sh_ wh_ ch_ qu_ _sh ";

static const char de_trigrams[] =
    " en_ er_ _de der ie_ ich sch _di die ein che cht _ei und nd_ _un ung ng_ _ge gen _be ber "
    "ver _ve _zu _da das as_ ist st_ _is _wi _au auf uf_ nen hen ter es_ em_ sei _we wer _ni "
    "nic eit iss sse tz_ ach auc uch nn_ _ha ben ahl ier _si mit it_ ";

static const char fr_trigrams[] =
    " es_ _de de_ ent nt_ le_ _le _la la_ ion on_ _pa re_ les que ue_ _qu _co _un une ne_ eur "
    "ur_ ous us_ _l' _d' _po our ait eau eux ux_ ais is_ des _en est _es par men tio con _ce "
    "it_ et_ _et _so ont omm aut ans ns_ _ne _pl ";

static const char es_trigrams[] =
    " os_ _de de_ la_ _la el_ _el as_ es_ que ue_ _qu _co ent ado do_ aci ion ón_ ció con ar_ "
    "_en en_ los _lo _se _es est par ara ra_ nte te_ _po por or_ _un na_ _pa del al_ _al ero "
    "mos dad ida ndo _su ien ier uer res ";

static const char it_trigrams[] =
    " to_ _di di_ la_ re_ che he_ _ch _co con on_ ent nte te_ ell lla _de del _la ion one ne_ "
    "zio azi are _in per er_ _pe no_ _no non _un _il il_ ti_ tti tto _qu que ato sta gli li_ "
    "_ha _so sso ess nza iam amo mo_ ndo cch ggi _è_ ";

static const char pt_trigrams[] =
    " os_ _de de_ do_ _do da_ _da que ue_ _qu _co ent ão_ ção açã com om_ ar_ _es est ado as_ "
    "es_ _se _um um_ uma ma_ par ara ra_ _pa nte te_ por or_ _po _nã não nh_ nho lho _na na_ "
    "no_ _no mos em_ _em ões ess ndo ia_ ade dad ";

/* Letters beside a-z that its words may have; English: those of borrowed words. */
static const char en_letters[] = "éèêëïöçñàâü";
static const char de_letters[] = "äöüßé";
static const char fr_letters[] = "àâæçéèêëîïôœùûüÿ";
static const char es_letters[] = "áéíóúüñ";
static const char it_letters[] = "àèéìîòù";
static const char pt_letters[] = "àáâãçéêíóôõúü";

#endif
