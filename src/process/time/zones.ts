// Written by write-zones.ts from version 2026c of the tz database. zone.ts says what the words mean.
export const TZ_VERSION = '2026c'
export const ZONES = `@0 Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry Africa/Dakar Africa/Freetown
Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou Africa/Timbuktu America/Danmarkshavn
Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich Etc/UCT Etc/UTC Etc/Universal
Etc/Zulu GMT GMT+0 GMT-0 GMT0 Greenwich Iceland UCT Universal Zulu
@180 Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti Africa/Kampala
Africa/Mogadishu Africa/Nairobi Antarctica/Syowa Asia/Aden Asia/Bahrain Asia/Kuwait Asia/Qatar Asia/Riyadh Etc/GMT-3
Indian/Antananarivo Indian/Comoro Indian/Mayotte
@60 Africa/Algiers Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville
Africa/Luanda Africa/Malabo Africa/Ndjamena Africa/Niamey Africa/Porto-Novo Etc/GMT-1
@120 Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Johannesburg Africa/Kigali
Africa/Lubumbashi Africa/Lusaka Africa/Maputo Africa/Maseru Africa/Mbabane Etc/GMT-2
@120 ~2000-2003:180,4.5.5/0:120,9.5.5/0 1csko:180 1hjn0:120 1o10o:180 1ss30:120 1z9go:180 23sr0:120 2ahwo:180
2eln0:120 2lqco:180 2pmb0:120 2wyso:180 30mz0:120 38f0o:180 3blf0:120 3ciso:180 3d630:120 4i04o:180 4jar0:120
4kdoo:180 4m3v0:120 7awco:180 7gij0:120 7m4so:180 7ryr0:120 ~2025-2029:180,4.5.5/0:120,10.5.5/0 9hr8o:180 9nl70:120
~2031-:180,4.5.5/0:120,10.5.5/0 Africa/Cairo Egypt
@0 2mvk0:60 2ppqc:0 2y540:60 30n2c:0 38hc0:60 3bi6c:0 3iuo0:60 3miuc:0 3uybc:60 3xhfc:0 3yfvc:60 3zpfc:0 466rc:60
48cjc:0 49ebc:60 4bszc:0 4gk3c:60 4jc3c:0 4kezc:60 4n1fc:0 4rsjc:60 4u63c:0 4v8zc:60 4y9vc:0 530zc:60 556rc:0 569nc:60
59q3c:0 5e9fc:60 5fznc:0 5habc:60 5kyjc:0 5phvc:60 5r0bc:0 5s37c:60 620zc:0 633vc:60 6ctvc:0 6e4jc:60 6nujc:0 6oxfc:60
6ynfc:0 6zy3c:60 79o3c:0 7aqzc:60 7korc:0 7lrnc:60 7vhnc:0 7wsbc:60 86ibc:0 87l7c:60 8d7do:0 Africa/Casablanca
Africa/El_Aaiun
@60 ~2000-:120,3.5.0/120:60,10.5.0/180 Africa/Ceuta Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Amsterdam
Europe/Andorra Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen
Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Monaco
Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje
Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich MET
Poland
@120 g0o:180 6lpn0:120 Africa/Juba
@120 g0o:180 5l1n0:120 Africa/Khartoum
@0 5mxlo:60 5y75o:0 Africa/Sao_Tome
@120 40yw0:60 459c0:120 Africa/Tripoli Libya
@60 1o3ac:120 1ss80:60 ~2006-2008:120,3.5.0/120:60,10.5.0/180 Africa/Tunis
@120 ~2000-2017:60,4.1.0/120:120,9.1.0/120 Africa/Windhoek
@-600 ~2000-2006:-540,4.1.0/120:-600,10.5.0/120 ~2007-:-540,3.2.0/120:-600,11.1.0/120 America/Adak America/Atka
US/Aleutian
@-540 ~2000-2006:-480,4.1.0/120:-540,10.5.0/120 ~2007-:-480,3.2.0/120:-540,11.1.0/120 America/Anchorage America/Juneau
America/Nome America/Sitka America/Yakutat US/Alaska
@-240 America/Anguilla America/Antigua America/Aruba America/Barbados America/Blanc-Sablon America/Curacao
America/Dominica America/Grenada America/Guadeloupe America/Guyana America/Kralendijk America/La_Paz
America/Lower_Princes America/Manaus America/Marigot America/Martinique America/Montserrat America/Port_of_Spain
America/Porto_Velho America/Puerto_Rico America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas
America/St_Vincent America/Tortola America/Virgin Brazil/West Etc/GMT+4
@-120 1rfc:-180 8od0:-120 cs3c:-180 k4l0:-120 o0jc:-180 w0d0:-120 z8zc:-180 40ct0:-120 440zc:-180 America/Araguaina
@-180 2i4l0:-120 2ki3c:-180 2r790:-120 2vqjc:-180 America/Argentina/Buenos_Aires America/Argentina/Cordoba
America/Buenos_Aires America/Cordoba America/Rosario
@-180 1dsd0:-240 1edio:-180 2i4l0:-120 2ki3c:-180 America/Argentina/Catamarca America/Argentina/ComodRivadavia
America/Argentina/La_Rioja America/Argentina/Rio_Gallegos America/Catamarca
@-180 2i4l0:-120 2ki3c:-180 America/Argentina/Jujuy America/Argentina/Salta America/Jujuy
@-180 1did0:-240 1heeo:-180 2i4l0:-120 2ki3c:-180 America/Argentina/Mendoza America/Mendoza
@-180 1dr90:-240 1fgeo:-180 2i4l0:-120 2ki3c:-180 America/Argentina/San_Juan
@-180 1dr90:-240 1fgeo:-180 2i4l0:-120 2iszc:-180 ~2008-2009:-240,3.2.0/0:-180,10.2.0/0 America/Argentina/San_Luis
@-180 1dsd0:-240 1e5qo:-180 2i4l0:-120 2ki3c:-180 2r790:-120 2vqjc:-180 America/Argentina/Tucuman
@-180 1dq50:-240 1edio:-180 2i4l0:-120 2ki3c:-180 America/Argentina/Ushuaia
@-180 ~2000-2001:-240,3.1.0/0:-180,10.1.0/0 ~2002-2003:-240,4.1.0/0:-180,9.1.0/0 1bzx0:-240 1i1qo:-180
~2005-2009:-240,3.2.0/0:-180,10.3.0/0 ~2010-2012:-240,4.2.0/0:-180,10.1.0/0 ~2013-2024:-240,3.4.0/0:-180,10.1.0/0
America/Asuncion
@-300 America/Atikokan America/Bogota America/Cayman America/Coral_Harbour America/Guayaquil America/Jamaica
America/Lima America/Panama EST Etc/GMT+5 Jamaica
@-120 1rfc:-180 8od0:-120 cs3c:-180 k4l0:-120 o0jc:-180 w0d0:-120 z8zc:-180 3owl0:-120 3t0bc:-180 America/Bahia
@-420 2un0:-360 9bxc:-420 f5z0:-360 jp9c:-420 ~2002-2009:-360,4.1.0/120:-420,10.5.0/120 37mn0:-300 3e3vo:-360
~2011-2022:-300,4.1.0/120:-360,10.5.0/120 America/Bahia_Banderas
@-180 America/Belem America/Cayenne America/Paramaribo Antarctica/Rothera Etc/GMT+3
@-360 America/Belize America/Costa_Rica America/El_Salvador America/Regina America/Swift_Current Canada/Saskatchewan
Etc/GMT+6 Pacific/Galapagos
@-180 1rh0:-240 8oeo:-180 8w50:-240 America/Boa_Vista
@-420 ~2000-2006:-360,4.1.0/120:-420,10.5.0/120 ~2007-:-360,3.2.0/120:-420,11.1.0/120 America/Boise America/Denver
America/Inuvik America/Shiprock MST7MDT Navajo US/Mountain
@-360 2ulc:-300 9jkc:-360 kkdc:-420 ~2002-2006:-360,4.1.0/120:-420,10.5.0/120 ~2007-:-360,3.2.0/120:-420,11.1.0/120
America/Cambridge_Bay
@-180 1rh0:-240 8oeo:-180 cs50:-240 k4mo:-180 o0l0:-240 w0eo:-180 z910:-240 16tao:-180 1ahh0:-240 1ijio:-180
1lxp0:-240 1ta6o:-180 1x650:-240 255yo:-180 28md0:-240 2fr2o:-180 ~2008-2011:-240,2.3.0/0:-180,10.3.0/0 3t0d0:-240
40cuo:-180 ~2013-2014:-240,2.3.0/0:-180,10.3.0/0 4qpp0:-240 4y26o:-180 ~2016-2017:-240,2.3.0/0:-180,10.3.0/0
5of10:-240 5weuo:-180 5znh0:-240 America/Campo_Grande
@-360 2ulc:-300 9bvo:-360 f5xc:-300 jp7o:-360 ~2002-2014:-300,4.1.0/120:-360,10.5.0/120 4q2lc:-300 America/Cancun
@-240 2hhfo:-270 5443o:-240 America/Caracas
@-360 ~2000-2006:-300,4.1.0/120:-360,10.5.0/120 ~2007-:-300,3.2.0/120:-360,11.1.0/120 America/Chicago
America/Menominee America/North_Dakota/Center CST6CDT US/Central
@-420 2un0:-360 9bxc:-420 f5z0:-360 jp9c:-420 ~2002-2021:-360,4.1.0/120:-420,10.5.0/120 6yvj0:-360 America/Chihuahua
@-420 2un0:-360 9bxc:-420 f5z0:-360 jp9c:-420 ~2002-2009:-360,4.1.0/120:-420,10.5.0/120
~2010-2021:-360,3.2.0/120:-420,11.1.0/120 6y870:-360 76b60:-420 ~2023-:-360,3.2.0/120:-420,11.1.0/120
America/Ciudad_Juarez
@-180 2710:-240 8w6o:-180 ~2001-2005:-240,3.2.0/0:-180,10.2.0/0 1xth0:-240 24imo:-180 291x0:-240 2fr2o:-180 2kxp0:-240
2qzio:-180 2vql0:-240 327yo:-180 37md0:-240 3dgeo:-180 3jxp0:-240 3n6eo:-180 3uyd0:-240 3yueo:-180 466t0:-240
4aamo:-180 4hf90:-240 4lj2o:-180 54jh0:-240 57cmo:-180 ~2017-2018:-240,5.2.0/0:-180,8.2.0/0 615x0:-240 65x2o:-180
~2020-2021:-240,4.1.0/0:-180,9.1.0/0 6yv90:-240 73u6o:-180 7a3p0:-240 7euuo:-180 7ljx0:-240 7qb2o:-180
America/Coyhaique
@-420 America/Creston America/Dawson_Creek America/Hermosillo America/Phoenix Etc/GMT+7 MST US/Arizona
@-180 1rh0:-240 8oeo:-180 cs50:-240 k4mo:-180 o0l0:-240 w0eo:-180 z910:-240 1ijio:-180 1lxp0:-240 1ta6o:-180
1x650:-240 255yo:-180 28md0:-240 2fr2o:-180 ~2008-2011:-240,2.3.0/0:-180,10.3.0/0 3t0d0:-240 40cuo:-180
~2013-2014:-240,2.3.0/0:-180,10.3.0/0 4qpp0:-240 4y26o:-180 ~2016-2017:-240,2.3.0/0:-180,10.3.0/0 5of10:-240
5weuo:-180 5znh0:-240 America/Cuiaba
@-480 ~2000-2006:-420,4.1.0/120:-480,10.5.0/120 ~2007-2019:-420,3.2.0/120:-480,11.1.0/120 6bjko:-420 America/Dawson
America/Whitehorse Canada/Yukon
@-300 ~2000-2006:-240,4.1.0/120:-300,10.5.0/120 ~2007-:-240,3.2.0/120:-300,11.1.0/120 America/Detroit
America/Kentucky/Louisville America/Louisville America/Montreal America/Nassau America/New_York America/Nipigon
America/Thunder_Bay America/Toronto Canada/Eastern EST5EDT US/Eastern US/Michigan
@-420 ~2000-2006:-360,4.1.0/120:-420,10.5.0/120 ~2007-2025:-360,3.2.0/120:-420,11.1.0/120 875z0:-360 America/Edmonton
America/Yellowknife Canada/Mountain
@-300 2nlcc:-240 4c8mo:-300 America/Eirunepe America/Porto_Acre America/Rio_Branco Brazil/Acre
@-480 ~2000-2009:-420,4.1.0/120:-480,10.5.0/120 ~2010-:-420,3.2.0/120:-480,11.1.0/120 America/Ensenada
America/Santa_Isabel America/Tijuana Mexico/BajaNorte
@-480 ~2000-2006:-420,4.1.0/120:-480,10.5.0/120 ~2007-2014:-420,3.2.0/120:-480,11.1.0/120 4r5ko:-420
America/Fort_Nelson
@-300 1ygzo:-240 24ya0:-300 ~2007-:-240,3.2.0/120:-300,11.1.0/120 America/Fort_Wayne America/Indiana/Indianapolis
America/Indiana/Marengo America/Indiana/Vevay America/Indianapolis US/East-Indiana
@-120 1rfc:-180 8od0:-120 93vc:-180 k4l0:-120 o0jc:-180 America/Fortaleza America/Maceio
@-240 ~2000-2006:-180,4.1.0/120:-240,10.5.0/120 ~2007-:-180,3.2.0/120:-240,11.1.0/120 America/Glace_Bay
America/Halifax America/Thule Atlantic/Bermuda Canada/Atlantic
@-180 ~2000-2001:-120,3.4.6/1320:-180,10.5.6/1380 ~2002-2006:-120,3.5.6/1320:-180,10.5.6/1380 29hdo:-120 2g6ho:-180
~2008-2009:-120,3.5.6/1320:-180,10.4.6/1380 ~2010-2012:-120,3.4.6/1320:-180,10.5.6/1380
~2013-2015:-120,3.5.6/1320:-180,10.4.6/1380 ~2016-2018:-120,3.4.6/1320:-180,10.5.6/1380
~2019-2020:-120,3.5.6/1320:-180,10.4.6/1380 ~2021-2022:-120,3.5.6/1320:-180,10.5.6/1380 79vto:-120
~2024-2028:-60,3.5.6/1380:-120,10.5.0/0 95i9o:-60 9c7do:-120 ~2030-2034:-60,3.5.6/1380:-120,10.5.0/0 b14po:-60
b7tto:-120 ~2036-:-60,3.5.6/1380:-120,10.5.0/0 America/Godthab America/Nuuk
@-240 ~2000-2006:-180,4.1.0/1:-240,10.5.0/1 ~2007-2010:-180,3.2.0/1:-240,11.1.0/1 3i7ip:-180 3pk0c:-240
~2012-:-180,3.2.0/120:-240,11.1.0/120 America/Goose_Bay
@-300 ~2000-2006:-240,4.1.0/120:-300,10.5.0/120 ~2007-2014:-240,3.2.0/120:-300,11.1.0/120 4r5fo:-240 5wey0:-300
~2019-:-240,3.2.0/120:-300,11.1.0/120 America/Grand_Turk
@-360 1zc20:-300 2434c:-360 America/Guatemala
@-300 ~2000-2003:-240,4.1.0/0:-300,10.5.0/60 1bs8c:-240 24y8c:-300 2920c:-240 2g6oc:-300 2ki8c:-240 2rf4c:-300
~2009-2010:-240,3.2.0/0:-300,10.5.0/60 3ifcc:-240 3prsc:-300 3u3cc:-240 40sgc:-300 ~2013-:-240,3.2.0/0:-300,11.1.0/60
America/Havana Cuba
@-300 24ybo:-360 ~2007-:-300,3.2.0/120:-360,11.1.0/120 America/Indiana/Knox America/Indiana/Tell_City America/Knox_IN
US/Indiana-Starke
@-300 24ybo:-360 2925c:-300 ~2008-:-240,3.2.0/120:-300,11.1.0/120 America/Indiana/Petersburg America/Indiana/Vincennes
@-300 24ybo:-360 2925c:-240 2gei0:-300 ~2008-:-240,3.2.0/120:-300,11.1.0/120 America/Indiana/Winamac
@-360 2ulc:-300 ~2001-2006:-240,4.1.0/120:-300,10.5.0/120 ~2007-:-240,3.2.0/120:-300,11.1.0/120 America/Iqaluit
America/Kentucky/Monticello America/Pangnirtung
@-480 ~2000-2006:-420,4.1.0/120:-480,10.5.0/120 ~2007-:-420,3.2.0/120:-480,11.1.0/120 America/Los_Angeles PST8PDT
US/Pacific
@-360 1nga0:-300 1suoc:-360 1zc5c:-300 24360:-360 America/Managua
@-360 2ulc:-300 9bvo:-360 f5xc:-300 jp7o:-360 ~2002-2009:-300,4.1.0/120:-360,10.5.0/120
~2010-:-300,3.2.0/120:-360,11.1.0/120 America/Matamoros
@-420 2un0:-360 9bxc:-420 f5z0:-360 jp9c:-420 ~2002-2022:-360,4.1.0/120:-420,10.5.0/120 America/Mazatlan
Mexico/BajaSur
@-360 2ulc:-300 9bvo:-360 f5xc:-300 jp7o:-360 ~2002-2022:-300,4.1.0/120:-360,10.5.0/120 America/Merida
America/Mexico_City America/Monterrey Mexico/General
@-480 4yi0o:-540 ~2016-2017:-480,3.2.0/120:-540,11.1.0/120 5p2qc:-480 5ysoo:-540 ~2019-:-480,3.2.0/120:-540,11.1.0/120
America/Metlakatla
@-180 ~2000-2006:-120,4.1.0/120:-180,10.5.0/120 ~2007-:-120,3.2.0/120:-180,11.1.0/120 America/Miquelon
@-240 ~2000-2006:-180,4.1.0/1:-240,10.5.0/1 ~2007-:-180,3.2.0/120:-240,11.1.0/120 America/Moncton
@-180 1h6l0:-120 1n0mo:-180 1t2gc:-120 ~2006-2014:-180,3.2.0/120:-120,10.1.0/120 4r5ao:-180 America/Montevideo
@-60 1rdo:-120 8obc:-60 8w1o:-120 k4jc:-60 o0ho:-120 America/Noronha Brazil/DeNoronha
@-420 ~2000-2006:-360,4.1.0/120:-420,10.5.0/120 ~2007-2009:-360,3.2.0/120:-420,11.1.0/120 36zb0:-360
~2011-:-300,3.2.0/120:-360,11.1.0/120 America/North_Dakota/Beulah
@-420 ~2000-2002:-360,4.1.0/120:-420,10.5.0/120 10rr0:-360 ~2004-2006:-300,4.1.0/120:-360,10.5.0/120
~2007-:-300,3.2.0/120:-360,11.1.0/120 America/North_Dakota/New_Salem
@-420 2un0:-360 9bxc:-420 f5z0:-360 jp9c:-420 ~2002-2009:-360,4.1.0/120:-420,10.5.0/120
~2010-2021:-360,3.2.0/120:-420,11.1.0/120 6y870:-360 ~2023-:-300,3.2.0/120:-360,11.1.0/120 America/Ojinaga
@-300 ~2005-2006:-240,4.1.0/0:-300,10.5.0/0 ~2012-2015:-240,3.2.0/120:-300,11.1.0/120
~2017-:-240,3.2.0/120:-300,11.1.0/120 America/Port-au-Prince
@-180 2710:-240 8w6o:-180 ~2001-2005:-240,3.2.0/0:-180,10.2.0/0 1xth0:-240 24imo:-180 291x0:-240 2fr2o:-180 2kxp0:-240
2qzio:-180 2vql0:-240 327yo:-180 37md0:-240 3dgeo:-180 3jxp0:-240 3n6eo:-180 3uyd0:-240 3yueo:-180 466t0:-240
4aamo:-180 4hf90:-240 4lj2o:-180 54jh0:-240 57cmo:-180 America/Punta_Arenas Antarctica/Palmer
@-360 ~2000-2005:-300,4.1.0/120:-360,10.5.0/180 1yh1c:-300 24ybo:-360 ~2007-:-300,3.2.0/120:-360,11.1.0/120
America/Rainy_River America/Winnipeg Canada/Central
@-360 2ulc:-300 kkbo:-360 ~2002-2006:-300,4.1.0/120:-360,10.5.0/120 ~2007-:-300,3.2.0/120:-360,11.1.0/120
America/Rankin_Inlet
@-120 1rfc:-180 8od0:-120 8w3c:-180 k4l0:-120 o0jc:-180 America/Recife
@-360 2ulc:-300 kkbo:-360 ~2002-2005:-300,4.1.0/120:-360,10.5.0/120 1yh1c:-300 2gejo:-360
~2008-:-300,3.2.0/120:-360,11.1.0/120 America/Resolute
@-240 2nlao:-180 America/Santarem
@-180 2710:-240 8w6o:-180 ~2001-2005:-240,3.2.0/0:-180,10.2.0/0 1xth0:-240 24imo:-180 291x0:-240 2fr2o:-180 2kxp0:-240
2qzio:-180 2vql0:-240 327yo:-180 37md0:-240 3dgeo:-180 3jxp0:-240 3n6eo:-180 3uyd0:-240 3yueo:-180 466t0:-240
4aamo:-180 4hf90:-240 4lj2o:-180 54jh0:-240 57cmo:-180 ~2017-2018:-240,5.2.0/0:-180,8.2.0/0 615x0:-240 65x2o:-180
~2020-2021:-240,4.1.0/0:-180,9.1.0/0 6yv90:-240 73u6o:-180 7a3p0:-240 7euuo:-180 7ljx0:-240 7qb2o:-180
~2025-2028:-240,4.1.0/0:-180,9.1.0/0 95xx0:-240 9ahao:-180 9h6d0:-240 9lxio:-180 ~2031-2034:-240,4.1.0/0:-180,9.1.0/0
b1kd0:-240 b63qo:-180 ~2036-:-240,4.1.0/0:-180,9.1.0/0 America/Santiago Chile/Continental
@-240 9bu0:-300 aeq0:-240 America/Santo_Domingo
@-120 1rfc:-180 8od0:-120 cs3c:-180 k4l0:-120 o0jc:-180 w0d0:-120 z8zc:-180 16t90:-120 1ahfc:-180 1ijh0:-120
1lxnc:-180 1ta50:-120 1x63c:-180 255x0:-120 28mbc:-180 2fr10:-120 ~2008-2011:-180,2.3.0/0:-120,10.3.0/0 3t0bc:-180
40ct0:-120 ~2013-2014:-180,2.3.0/0:-120,10.3.0/0 4qpnc:-180 4y250:-120 ~2016-2017:-180,2.3.0/0:-120,10.3.0/0
5oezc:-180 5wet0:-120 5znfc:-180 America/Sao_Paulo Brazil/East
@-60 ~2000-2023:0,3.5.0/0:-60,10.5.0/60 7rtdo:-120 ~2025-2028:-60,3.5.6/1380:-120,10.5.0/0 95i9o:-60 9c7do:-120
~2030-2034:-60,3.5.6/1380:-120,10.5.0/0 b14po:-60 b7tto:-120 ~2036-:-60,3.5.6/1380:-120,10.5.0/0 America/Scoresbysund
@-210 ~2000-2006:-150,4.1.0/1:-210,10.5.0/1 ~2007-2010:-150,3.2.0/1:-210,11.1.0/1 3i7hv:-150 3pjzi:-210
~2012-:-150,3.2.0/120:-210,11.1.0/120 America/St_Johns Canada/Newfoundland
@-360 1zju0:-300 22e0c:-360 America/Tegucigalpa
@-480 ~2000-2006:-420,4.1.0/120:-480,10.5.0/120 ~2007-2025:-420,3.2.0/120:-480,11.1.0/120 8760o:-420 America/Vancouver
Canada/Pacific
@480 32fa0:660 36oh0:480 3p9i0:660 3svgc:480 59gqo:660 5p1wc:480 5vjdc:660 60i2o:480 66pjo:660 6biqo:480 6i02p:660
~2021-2022:480,3.2.0/0:660,10.1.0/1 79cio:480 Antarctica/Casey
@420 32fbo:300 36vdc:420 3p9jo:300 3svlc:420 Antarctica/Davis
@600 Antarctica/DumontDUrville Australia/Brisbane Australia/Lindeman Australia/Queensland Etc/GMT-10 Pacific/Chuuk
Pacific/Guam Pacific/Port_Moresby Pacific/Saipan Pacific/Truk Pacific/Yap
@660 2m2o:600 7d6o:660 ~2001-2005:600,3.5.0/180:660,10.1.0/120 1ygao:600 242io:660 29gyo:600 2fiqo:660
~2008-2009:600,4.1.0/180:660,10.1.0/120 ~2011-:600,4.1.0/180:660,10.1.0/120 Antarctica/Macquarie
@360 32fdc:300 Antarctica/Mawson
@780 ~2000-2006:720,3.3.0/180:780,10.1.0/120 2993c:720 2favc:780 ~2008-:720,4.1.0/180:780,9.5.0/120 Antarctica/McMurdo
Antarctica/South_Pole NZ Pacific/Auckland
@0 ~2005-:120,3.5.0/60:0,10.5.0/180 Antarctica/Troll
@420 7i47o:300 Antarctica/Vostok
@360 ~2000-2004:420,3.5.0/120:360,10.5.0/180 7kee0:300 Asia/Almaty
@120 ~2000-2001:180,3.5.4/0:120,9.5.5/60 p8so:180 uv0o:120 10h8o:180 16yko:120 1bpoo:180 1hz8o:120 1n5wo:180 1ss4o:120
~2006-2010:180,3.5.5/0:120,10.5.5/60 3isco:180 3p9oo:120 3u0so:180 4dgr0:120 ~2014-2015:180,3.5.5/0:120,10.5.5/60
536co:180 59noo:120 ~2017-2021:180,3.5.5/0:120,10.5.5/60 6xpwo:180 Asia/Amman
@720 ~2000-2009:780,3.5.0/120:720,10.5.0/180 3e350:660 3imh0:720 Asia/Anadyr Asia/Kamchatka
@240 ~2000-2003:300,3.5.0/120:240,10.5.0/180 1brwo:300 Asia/Aqtau Asia/Atyrau Asia/Oral
@300 ~2000-2004:360,3.5.0/120:300,10.5.0/180 Asia/Aqtobe
@300 Asia/Ashgabat Asia/Ashkhabad Asia/Dushanbe Asia/Samarkand Asia/Tashkent Etc/GMT-5 Indian/Kerguelen
Indian/Maldives
@180 2t40:240 8gg0:180 e2o0:240 jq00:180 pc80:240 uzk0:180 10ls0:240 16940:180 1bwg0:240 1hjs0:180 1n600:240 1stc0:180
1yfk0:240 242w0:180 29p40:240 2fcg0:180 Asia/Baghdad
@240 ~2000-2015:300,3.5.0/240:240,10.5.0/300 Asia/Baku
@420 Asia/Bangkok Asia/Ho_Chi_Minh Asia/Jakarta Asia/Phnom_Penh Asia/Pontianak Asia/Saigon Asia/Vientiane Etc/GMT-7
Indian/Christmas
@360 ~2000-2010:420,3.5.0/120:360,10.5.0/180 3impc:420 4n13o:360 530pc:420 Asia/Barnaul
@120 ~2000-:180,3.5.0/0:120,10.5.0/0 Asia/Beirut
@300 ~2000-2004:360,3.5.0/150:300,10.5.0/150 1n0bu:360 Asia/Bishkek
@480 Asia/Brunei Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Hong_Kong Asia/Kuala_Lumpur Asia/Kuching Asia/Macao
Asia/Macau Asia/Makassar Asia/Manila Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Ujung_Pandang Etc/GMT-8 Hongkong
PRC ROC Singapore
@330 Asia/Calcutta Asia/Kolkata
@540 ~2000-2010:600,3.5.0/120:540,10.5.0/180 3imkc:600 4n0yo:480 530m0:540 Asia/Chita
@480 ewe0:540 jngc:480 ~2002-2006:540,3.5.6/120:480,9.5.6/120 ~2015-2016:540,3.5.6/120:480,9.5.6/0 Asia/Choibalsan
Asia/Ulaanbaatar Asia/Ulan_Bator
@360 1yuuu:330 Asia/Colombo
@360 2ypwc:420 34qkc:360 Asia/Dacca Asia/Dhaka
@120 2t0o:180 8gb0:120 e2ko:180 jpv0:120 pc4o:180 uzf0:120 10loo:180 168z0:120 1bwco:180 1hjn0:120 1n5wo:180 1st70:120
1yfgo:180 23sr0:120 29mso:180 2gbv0:120 2l30o:180 2rlf0:120 2w3oo:180 32sr0:120 ~2010-2011:180,4.1.5/0:120,10.5.5/0
~2012-2021:180,3.5.5/0:120,10.5.5/0 6yl0o:180 Asia/Damascus
@480 80io:540 Asia/Dili
@240 Asia/Dubai Asia/Muscat Etc/GMT-4 Indian/Mahe Indian/Reunion
@120 ~2000-2015:180,3.5.0/180:120,10.5.0/240 530xo:180 5kyho:120 ~2018-:180,3.5.0/180:120,10.5.0/240 Asia/Famagusta
@120 ~2000-2003:180,4.3.5/0:120,10.3.5/0 1cd0o:180 1hjoo:120 1nlgo:180 1swmc:120 1yfgo:180 23sr0:120 29p0o:180
2esec:120 2kv8o:180 2pmb0:120 2w3oo:180 312ko:120 37d8p:180 3blf0:120 3iscp:180 3mjv0:120 3u0so:180 3zf8o:120
4598o:180 4avf0:120 4ghoo:180 4myz0:120 4rr8o:180 4y7go:120 ~2016-2018:180,3.4.6/60:120,10.5.6/60 60voo:180 67e30:120
6c58o:180 6imko:120 6ndoo:180 6u1oo:120 6yn8o:180 75bac:120 7axk0:180 7gjqc:120 7ly80:180 7rs6c:120 7wyw0:180
830mc:120 87rs0:180 8e92c:120 ~2027-2029:180,3.4.6/120:120,10.5.6/120 ~2030-2034:180,3.5.6/120:120,10.5.6/120
b13k0:180 b7smc:120 bcjs0:180 bitac:120 bns80:180 bttyc:120 Asia/Gaza
@120 ~2000-2003:180,4.3.5/0:120,10.3.5/0 1cd0o:180 1hjoo:120 1nlgo:180 1swmc:120 1yfgo:180 23sr0:120 29p0o:180
2esec:120 2kv8o:180 2ppn0:120 2w3oo:180 312ko:120 37c4o:180 3blf0:120 3iscp:180 3mjv0:120 3ng4o:180 3oej0:120
3u0so:180 3zf8o:120 4598o:180 4avf0:120 4ghoo:180 4myz0:120 4rr8o:180 4y7go:120 ~2016-2018:180,3.4.6/60:120,10.5.6/60
60voo:180 67e30:120 6c58o:180 6imko:120 6ndoo:180 6u1oo:120 6yn8o:180 75bac:120 7axk0:180 7gjqc:120 7ly80:180
7rs6c:120 7wyw0:180 830mc:120 87rs0:180 8e92c:120 ~2027-2029:180,3.4.6/120:120,10.5.6/120
~2030-2034:180,3.5.6/120:120,10.5.6/120 b13k0:180 b7smc:120 bcjs0:180 bitac:120 bns80:180 bttyc:120 Asia/Hebron
@420 ewfo:480 jni0:420 ~2002-2006:480,3.5.6/120:420,9.5.6/120 ~2015-2016:480,3.5.6/120:420,9.5.6/0 Asia/Hovd
@480 ~2000-2010:540,3.5.0/120:480,10.5.0/180 3imm0:540 4n10c:480 Asia/Irkutsk
@120 ~2000-2006:180,3.5.0/60:120,10.5.0/120 ~2007-2010:180,3.5.0/180:120,10.5.0/240 3io1o:180 3pc1o:120
~2012-2013:180,3.5.0/180:120,10.5.0/240 4gl5o:180 4n1do:120 4rsho:180 4ypdo:120 530xo:180 Asia/Istanbul
Europe/Istanbul Turkey
@540 Asia/Jayapura Asia/Seoul Asia/Tokyo Etc/GMT-9 Japan Pacific/Palau ROK
@120 37k0:180 8lwo:120 ebic:180 ji4o:120 p8uc:180 v64o:120 10hac:180 16b8o:120 1c32c:180 1h9oo:120 1n600:180 1t26c:120
1yeg0:180 242uc:120 29mw0:180 2evqc:120 2kvc0:180 2qric:120 2w3s0:180 31s6c:120 37c80:180 3cl2c:120 3isg0:180
3oguc:120 3u0w0:180 3zhic:120 ~2013-2016:180,3.5.5/120:120,10.5.0/120 ~2017-2018:180,3.4.5/120:120,10.5.0/120
~2019-2022:180,3.5.5/120:120,10.5.0/120 79tk0:180 7gkuc:120 ~2024-2027:180,3.5.5/120:120,10.5.0/120
~2028-2029:180,3.4.5/120:120,10.5.0/120 ~2030-2033:180,3.5.5/120:120,10.5.0/120 ~2034-:180,3.4.5/120:120,10.5.0/120
Asia/Jerusalem Asia/Tel_Aviv Israel
@270 Asia/Kabul
@300 pino:360 v4u0:300 2mvbo:360 2rla0:300 2wono:360 32uu0:300 Asia/Karachi
@360 Asia/Kashgar Asia/Thimbu Asia/Thimphu Asia/Urumqi Etc/GMT-6 Indian/Chagos
@345 Asia/Kathmandu Asia/Katmandu
@540 ~2000-2003:600,3.5.0/120:540,10.5.0/180 192x0:600 ~2004-2010:660,3.5.0/120:600,10.5.0/180 3imio:660 3nv9o:600
4n0yo:540 Asia/Khandyga
@420 ~2000-2010:480,3.5.0/120:420,10.5.0/180 3imno:480 4n120:420 Asia/Krasnoyarsk
@660 ~2000-2010:720,3.5.0/120:660,10.5.0/180 3imh0:720 4n0vc:600 53vmo:660 Asia/Magadan
@120 ~2000-:180,3.5.0/180:120,10.5.0/240 Asia/Nicosia EET Europe/Athens Europe/Bucharest Europe/Helsinki Europe/Kiev
Europe/Kyiv Europe/Mariehamn Europe/Nicosia Europe/Sofia Europe/Uzhgorod Europe/Zaporozhye
@420 ~2000-2009:480,3.5.0/120:420,10.5.0/180 3e3dc:360 3impc:420 Asia/Novokuznetsk
@360 ~2000-2010:420,3.5.0/120:360,10.5.0/180 3impc:420 4n13o:360 56oxc:420 Asia/Novosibirsk
@360 ~2000-2010:420,3.5.0/120:360,10.5.0/180 3impc:420 4n13o:360 Asia/Omsk
@540 4w2h0:510 5qqx0:540 Asia/Pyongyang
@300 ~2000-2003:360,3.5.0/120:300,10.5.0/180 1brv0:360 7kee0:300 Asia/Qostanay
@300 ~2000-2003:360,3.5.0/120:300,10.5.0/180 1brv0:360 5xum0:300 Asia/Qyzylorda
@390 Asia/Rangoon Asia/Yangon Indian/Cocos
@600 ~2000-2010:660,3.5.0/120:600,10.5.0/180 3imio:660 4n0x0:600 530io:660 Asia/Sakhalin
@660 ~2000-2010:720,3.5.0/120:660,10.5.0/180 3imh0:720 4n0vc:660 Asia/Srednekolymsk
@240 ~2000-2003:300,3.5.0/0:240,10.5.0/0 1brtc:300 1ekvo:240 1ih2c:180 1n0ec:240 Asia/Tbilisi
@210 2gq6:270 854i:210 dre6:270 jfsi:210 p0y6:270 upci:210 10ai6:270 15ywi:210 1bk26:270 1h8gi:210 1muq6:270 1sj4i:210
2kne6:270 2qbsi:210 2vy26:270 31mgi:210 377m6:270 3cw0i:210 3ih66:270 3o5ki:210 3tqq6:270 3zf4i:210 451e6:270
4apsi:210 4gay6:270 4lzci:210 4rki6:270 4x8wi:210 52u26:270 58igi:210 5e4q6:270 5jt4i:210 5pea6:270 5v2oi:210
60nu6:270 66c8i:210 6bxe6:270 6hlsi:210 6n826:270 6swgi:210 6yhm6:270 7460i:210 Asia/Tehran Iran
@420 ~2000-2001:480,3.5.0/120:420,10.5.0/180 pavo:480 q9bo:420 vs9c:360 ~2003-2010:420,3.5.0/120:360,10.5.0/180
3impc:420 4n13o:360 54ypc:420 Asia/Tomsk
@660 ~2000-2010:720,3.5.0/120:660,10.5.0/180 3imh0:720 3nv80:660 4n0x0:600 Asia/Ust-Nera
@600 ~2000-2010:660,3.5.0/120:600,10.5.0/180 3imio:660 4n0x0:600 Asia/Vladivostok
@540 ~2000-2010:600,3.5.0/120:540,10.5.0/180 3imkc:600 4n0yo:540 Asia/Yakutsk
@300 ~2000-2010:360,3.5.0/120:300,10.5.0/180 3imr0:360 4n15c:300 Asia/Yekaterinburg
@240 ~2000-2011:300,3.5.0/120:240,10.5.0/180 Asia/Yerevan
@-60 ~2000-:0,3.5.0/0:-60,10.5.0/60 Atlantic/Azores
@0 ~2000-:60,3.5.0/60:0,10.5.0/120 Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira Eire Europe/Belfast
Europe/Dublin Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/Lisbon Europe/London GB GB-Eire Portugal WET
@-60 Atlantic/Cape_Verde Etc/GMT+1
@-120 Atlantic/South_Georgia Etc/GMT+2
@-180 39x0:-240 7tao:-180 ~2001-2010:-240,4.3.0/120:-180,9.1.0/120 Atlantic/Stanley
@660 2m2o:600 7d6o:660 ~2001-2005:600,3.5.0/180:660,10.5.0/120 1ygao:600 24xmo:660 29gyo:600 2g62o:660
~2008-:600,4.1.0/180:660,10.1.0/120 Australia/ACT Australia/Canberra Australia/Melbourne Australia/NSW
Australia/Sydney Australia/Victoria
@630 ~2000-2005:570,3.5.0/180:630,10.5.0/120 1ygbi:570 24xni:630 29gzi:570 2g63i:630
~2008-:570,4.1.0/180:630,10.1.0/120 Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna
@660 2m2o:600 7d6o:660 ~2001-2005:600,3.5.0/180:660,10.1.0/120 1ygao:600 242io:660 29gyo:600 2fiqo:660
~2008-:600,4.1.0/180:660,10.1.0/120 Australia/Currie Australia/Hobart Australia/Tasmania
@570 Australia/Darwin Australia/North
@525 260kr:585 ~2007-2008:525,3.5.0/180:585,10.5.0/120 2w5or:525 Australia/Eucla
@660 2m10:630 7d5u:660 ~2001-2005:630,3.5.0/120:660,10.5.0/120 1yg90:630 24xlu:660 29gx0:630 2g61u:660
~2008-:630,4.1.0/120:660,10.1.0/120 Australia/LHI Australia/Lord_Howe
@480 260m0:540 ~2007-2008:480,3.5.0/180:540,10.5.0/120 2w5q0:480 Australia/Perth Australia/West
@-300 ~2000-2007:-360,3.2.6/1320:-300,10.2.6/1320 2kxp0:-360 2qzio:-300 2vql0:-360 327yo:-300 37md0:-360 3dgeo:-300
3jxp0:-360 3n6eo:-300 ~2012-2014:-360,4.5.6/1320:-300,9.1.6/1320 ~2016-2018:-360,5.2.6/1320:-300,8.2.6/1320
~2019-2021:-360,4.1.6/1320:-300,9.1.6/1320 6yv90:-360 73u6o:-300 ~2023-:-360,4.1.6/1320:-300,9.1.6/1320
Chile/EasterIsland Pacific/Easter
@-600 Etc/GMT+10 HST Pacific/Honolulu Pacific/Johnston Pacific/Rarotonga Pacific/Tahiti US/Hawaii
@-660 Etc/GMT+11 Pacific/Midway Pacific/Niue Pacific/Pago_Pago Pacific/Samoa US/Samoa
@-720 Etc/GMT+12
@-480 Etc/GMT+8 Pacific/Pitcairn
@-540 Etc/GMT+9 Pacific/Gambier
@660 Etc/GMT-11 Pacific/Efate Pacific/Guadalcanal Pacific/Kosrae Pacific/Noumea Pacific/Pohnpei Pacific/Ponape
@720 Etc/GMT-12 Kwajalein Pacific/Funafuti Pacific/Kwajalein Pacific/Majuro Pacific/Nauru Pacific/Tarawa Pacific/Wake
Pacific/Wallis
@780 Etc/GMT-13 Pacific/Enderbury Pacific/Kanton
@840 Etc/GMT-14 Pacific/Kiritimati
@180 ~2000-2010:240,3.5.0/120:180,10.5.0/180 3imuc:240 4n18o:180 530uc:240 Europe/Astrakhan Europe/Ulyanovsk
@120 ~2000-2021:180,3.5.0/120:120,10.5.0/180 ~2022-:180,3.5.0/180:120,10.5.0/240 Europe/Chisinau Europe/Tiraspol
@120 ~2000-2010:180,3.5.0/120:120,10.5.0/180 3imw0:180 4n1ac:120 Europe/Kaliningrad
@180 ~2000-2010:240,3.5.0/120:180,10.5.0/180 3imuc:240 4n18o:180 Europe/Kirov Europe/Moscow W-SU
@120 ~2000-2010:180,3.5.0/120:120,10.5.0/180 3imw0:180 Europe/Minsk
@120 ~2001-:180,3.5.0/180:120,10.5.0/240 Europe/Riga
@240 ~2000-2009:300,3.5.0/120:240,10.5.0/180 3e3ic:180 3imuc:240 Europe/Samara
@180 ~2000-2010:240,3.5.0/120:180,10.5.0/180 3imuc:240 4n18o:180 5asuc:240 Europe/Saratov
@120 ~2000-2013:180,3.5.0/180:120,10.5.0/240 4gk00:240 4n18o:180 Europe/Simferopol
@120 ~2002-:180,3.5.0/180:120,10.5.0/240 Europe/Tallinn
@120 ~2003-:180,3.5.0/180:120,10.5.0/240 Europe/Vilnius
@180 ~2000-2010:240,3.5.0/120:180,10.5.0/180 3imuc:240 4n18o:180 5w6uc:240 6kloo:180 Europe/Volgograd
@240 2reso:300 2w5v0:240 Indian/Mauritius
@825 ~2000-2006:765,3.3.0/225:825,10.1.0/165 2993c:765 2favc:825 ~2008-:765,4.1.0/225:825,9.5.0/165 NZ-CHAT
Pacific/Chatham
@-660 3d16c:-600 3iu7c:-660 3o8nc:-600 3r88o:840 ~2012-2020:780,4.1.0/240:840,9.5.0/180 6nm7c:780 Pacific/Apia
@600 4oyyo:660 Pacific/Bougainville
@-660 3r8ac:780 Pacific/Fakaofo
@780 1qvc:720 33prc:780 37dzc:720 3dvbc:780 3hz3c:720 3p3rc:780 3rwvc:720 40c7c:780 435bc:720 4bsfc:780 4edpo:720
4n8nc:780 ~2015-2017:720,1.3.0/180:780,11.1.0/120 5nbjc:720 5we7c:780 5yjzc:720 67ufc:780 69sfc:720 6kdjc:780
6l8nc:720 Pacific/Fiji
@-570 Pacific/Marquesas
@690 4xm06:660 66rl0:720 ~2020-:660,4.1.0/180:720,10.1.0/120 Pacific/Norfolk
@840 2e5o:780 9ito:840 c440:780 kr9o:840 nck0:780 59x9o:840 5c31o:780 Pacific/Tongatapu`
